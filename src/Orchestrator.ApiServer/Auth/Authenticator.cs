using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.ApiServer.Auth;

/// <summary>Finds out who asks: by client certificate of our authority (CN, O), or by the admin's bearer token.</summary>
internal sealed class Authenticator(Credentials credentials, TimeProvider time)
{
    /// <summary>
    /// A connection keeps its certificate, as one object: checked once, then only for its end. Goes with the connection; made for many
    /// threads, since requests of one connection come side by side.
    /// </summary>
    private readonly ConditionalWeakTable<X509Certificate2, Known> _known = [];

    /// <returns>Null when credentials were shown that are not good: 401. Anonymous when none were.</returns>
    public Identity? Authenticate(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return credentials.IsAdminToken(authorization["Bearer ".Length..].Trim()) ? Identity.Admin : null;
        }

        if (authorization.Length > 0)
        {
            return null;
        }

        if (context.Connection.ClientCertificate is not { } certificate)
        {
            return Identity.Anonymous;
        }

        if (_known.TryGetValue(certificate, out var known))
        {
            return time.GetUtcNow() < known.Until ? known.Identity : null;
        }

        if (!CertificateAuthority.HasSigned(certificate, credentials.AuthorityCertificate) || !IsForClients(certificate))
        {
            return null;
        }

        var found = Read(certificate.SubjectName);
        _known.AddOrUpdate(certificate, new Known(found, certificate.NotAfter.ToUniversalTime()));
        return found;
    }

    private static bool IsForClients(X509Certificate2 certificate) => certificate.Extensions
        .OfType<X509EnhancedKeyUsageExtension>()
        .Any(usage => usage.EnhancedKeyUsages.Cast<System.Security.Cryptography.Oid>().Any(oid => oid.Value == "1.3.6.1.5.5.7.3.2"));

    private static Identity Read(X500DistinguishedName subject)
    {
        var (name, groups) = ("", new List<string>());
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name = part.GetSingleElementValue() ?? "";
                    break;
                case "2.5.4.10":
                    groups.Add(part.GetSingleElementValue() ?? "");
                    break;
            }
        }

        return new Identity(name, groups);
    }

    private sealed record Known(Identity Identity, DateTimeOffset Until);
}
