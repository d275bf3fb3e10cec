using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.ApiServer.Auth;

/// <summary>
/// The installation's own certificate authority (ECDSA P-256). Its key stays the same when its certificate is renewed, so what it signed
/// before still verifies.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    /// <summary>A CA certificate is renewed when less than this is left: longer than any certificate it signs.</summary>
    private static readonly TimeSpan RenewedBefore = TimeSpan.FromDays(2 * 365);

    /// <summary>Clocks of clients may be behind.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);

    private readonly ECDsa _key;

    private CertificateAuthority(ECDsa key, X509Certificate2 certificate) => (_key, Certificate) = (key, certificate);

    public X509Certificate2 Certificate { get; }

    /// <summary>Takes the authority from a folder; makes or renews it where needed.</summary>
    public static CertificateAuthority Load(string folder, DateTimeOffset now)
    {
        var (keyPath, certificatePath) = (Path.Combine(folder, "ca.key"), Path.Combine(folder, "ca.crt"));
        var key = ECDsa.Create();
        if (File.Exists(keyPath))
        {
            key.ImportFromPem(File.ReadAllText(keyPath));
        }
        else
        {
            key.GenerateKey(ECCurve.NamedCurves.nistP256);
            PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem() + "\n");
        }

        if (File.Exists(certificatePath))
        {
            var existing = X509Certificate2.CreateFromPem(File.ReadAllText(certificatePath));
            if (existing.NotAfter.ToUniversalTime() - now.UtcDateTime > RenewedBefore
                && existing.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            {
                return new CertificateAuthority(key, existing);
            }

            existing.Dispose();
        }

        var certificate = Sign(key, now);
        PrivateFile.Write(certificatePath, certificate.ExportCertificatePem() + "\n");
        return new CertificateAuthority(key, certificate);
    }

    /// <summary>
    /// Whether a certificate of our own files names this authority's key as its issuer: enough to see that it is not of an earlier one, and
    /// quick, where <see cref="HasSigned"/> proves it to a client that comes along.
    /// </summary>
    public static bool IsOf(X509Certificate2 certificate, X509Certificate2 authority)
    {
        var issuer = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier;
        var key = authority.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes;
        return issuer is not null && key is not null && issuer.Value.Span.SequenceEqual(key.Value.Span);
    }

    /// <summary>Whether a certificate is signed by the authority and valid now.</summary>
    public static bool HasSigned(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }

    /// <summary>A key and certificate for a server.</summary>
    public X509Certificate2 IssueServer(
        string name, IEnumerable<string> names, IEnumerable<IPAddress> addresses, TimeSpan lifetime, DateTimeOffset now)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var dns in names)
        {
            alternatives.AddDnsName(dns);
        }

        foreach (var address in addresses)
        {
            alternatives.AddIpAddress(address);
        }

        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        return Issue(subject.Build(), "1.3.6.1.5.5.7.3.1", alternatives.Build(), lifetime, now);
    }

    /// <summary>A key and certificate that say who a client is: the name as CN, groups as O.</summary>
    public X509Certificate2 IssueClient(Identity identity, TimeSpan lifetime, DateTimeOffset now)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(identity.Name);
        foreach (var group in identity.Groups)
        {
            subject.AddOrganizationName(group);
        }

        return Issue(subject.Build(), "1.3.6.1.5.5.7.3.2", null, lifetime, now);
    }

    public void Dispose()
    {
        _key.Dispose();
        Certificate.Dispose();
    }

    private static X509Certificate2 Sign(ECDsa key, DateTimeOffset now)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName("orchestrator-ca");
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var withKey = request.CreateSelfSigned(now - ClockSkew, now + Lifetime);
        return X509CertificateLoader.LoadCertificate(withKey.RawData);
    }

    private X509Certificate2 Issue(
        X500DistinguishedName subject, string purpose, X509Extension? alternatives, TimeSpan lifetime, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(purpose)], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        if (alternatives is not null)
        {
            request.CertificateExtensions.Add(alternatives);
        }

        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var certificate = request.Create(
            Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now - ClockSkew, now + lifetime, serial);
        return certificate.CopyWithPrivateKey(key);
    }
}
