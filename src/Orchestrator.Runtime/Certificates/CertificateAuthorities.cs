using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orchestrator.Runtime.Certificates;

/// <summary>The authorities of which clients' certificates must come: a Secret's <c>ca.crt</c>.</summary>
public sealed class CertificateAuthorities
{
    /// <summary>Enhanced key usage of TLS clients (RFC 5280, 4.2.1.12).</summary>
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection _certificates;

    private CertificateAuthorities(X509Certificate2Collection certificates) => _certificates = certificates;

    /// <param name="pem">One certificate or several.</param>
    /// <exception cref="FormatException">It cannot be used; the message says what is wrong, naming the Secret's key.</exception>
    public static CertificateAuthorities Read(byte[]? pem)
    {
        var certificates = ReadPem(pem, "ca.crt");
        foreach (var certificate in certificates)
        {
            if (!certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority))
            {
                throw new FormatException($"ca.crt: {certificate.Subject} is no certificate of an authority (basicConstraints CA:TRUE)");
            }
        }

        return new(certificates);
    }

    /// <summary>
    /// Whether a client's certificate comes of one of them, for that use, and is in its time. Nothing is fetched for it: no intermediates,
    /// no revocation lists.
    /// </summary>
    /// <param name="sent">Other certificates that the client sent.</param>
    public bool Accept(X509Certificate2 certificate, X509Certificate2Collection sent, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.VerificationTime = now.UtcDateTime;
        policy.VerificationTimeIgnored = false;
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        policy.CustomTrustStore.AddRange(_certificates);
        policy.ExtraStore.AddRange(sent);

        // An authority that is named here need not be a root: whoever names an intermediate means it, and not its siblings.
        policy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        try
        {
            var built = chain.Build(certificate);
            var isFromOurs = chain.ChainElements.Skip(1).Any(element => _certificates.Any(ours => ours.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span)));
            var isSound = chain.ChainStatus.All(status => status.Status is X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain);
            return built && isFromOurs && isSound;
        }
        catch (CryptographicException)
        {
            // What the client sent is no certificate that can be looked at.
            return false;
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                if (!ReferenceEquals(element.Certificate, certificate))
                {
                    element.Certificate.Dispose();
                }
            }
        }
    }

    /// <exception cref="FormatException">There is none in it, or one that cannot be read.</exception>
    internal static X509Certificate2Collection ReadPem(byte[]? pem, string name)
    {
        if (pem is not { Length: > 0 })
        {
            throw new FormatException($"{name}: is missing or empty");
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.ASCII.GetString(pem));
        }
        catch (CryptographicException unreadable)
        {
            throw new FormatException($"{name}: holds a certificate that cannot be read: {unreadable.Message}", unreadable);
        }

        return certificates.Count > 0 ? certificates
            : throw new FormatException($"{name}: holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
    }
}
