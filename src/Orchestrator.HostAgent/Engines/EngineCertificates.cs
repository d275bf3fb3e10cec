using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.HostAgent.Engines;

/// <summary>What mutual TLS with one engine needs: whom to trust, and who we are.</summary>
internal sealed class EngineCertificates : IDisposable
{
    private const string AuthorityKey = "ca.crt";
    private const string CertificateKey = "tls.crt";
    private const string PrivateKeyKey = "tls.key";

    private readonly X509Certificate2 _own;

    private EngineCertificates(string secretName, X509Certificate2Collection authorities, X509Certificate2 own, X509Certificate2Collection chain)
    {
        SecretName = secretName;
        Authorities = authorities;
        _own = own;
        Context = SslStreamCertificateContext.Create(own, chain, offline: true);
    }

    public string SecretName { get; }

    public X509Certificate2Collection Authorities { get; }

    public SslStreamCertificateContext Context { get; }

    public DateTime NotAfter => _own.NotAfter;

    /// <exception cref="EngineException">A key is missing or is not PEM of the right kind.</exception>
    public static EngineCertificates Parse(EngineSecret secret)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(secret.Text(AuthorityKey));
            var certificates = secret.Text(CertificateKey);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificates);
            if (authorities.Count == 0 || chain.Count == 0)
            {
                throw Malformed(secret, authorities.Count == 0 ? AuthorityKey : CertificateKey);
            }

            return new EngineCertificates(
                secret.Name, authorities, X509Certificate2.CreateFromPem(certificates, secret.Text(PrivateKeyKey)), chain);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            // The exception may quote what it could not read: no part of a key goes on from here.
            throw Malformed(secret, $"{AuthorityKey}, {CertificateKey} or {PrivateKeyKey}");
        }
    }

    public void Dispose() => _own.Dispose();

    private static EngineException Malformed(EngineSecret secret, string key) =>
        secret.Odd($"{key} is not PEM, or key and certificate do not belong together");
}
