using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>With which authority certificates are ordered (RFC 8555), on whose behalf.</summary>
public sealed record AcmeOptions
{
    /// <summary>Let's Encrypt's, for certificates that browsers take.</summary>
    public static readonly Uri LetsEncrypt = new("https://acme-v02.api.letsencrypt.org/directory");

    /// <summary>https. Default <see cref="LetsEncrypt"/>.</summary>
    public Uri Directory { get; init; } = LetsEncrypt;

    /// <summary>Where the authority writes to when something is wrong with a certificate.</summary>
    public required string Email { get; init; }

    /// <summary>Of which the authority's own TLS certificate must come; null: those that the machine trusts.</summary>
    public X509Certificate2Collection? Authorities { get; init; }
}
