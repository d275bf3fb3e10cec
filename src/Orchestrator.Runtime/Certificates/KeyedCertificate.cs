using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orchestrator.Runtime.Certificates;

/// <summary>
/// A server's certificate with its key, and the certificates between it and its authority: what a Secret of type kubernetes.io/tls
/// holds. Controller and proxy both read it by this, so that what one of them takes for good is good for the other.
/// </summary>
public sealed class KeyedCertificate : IDisposable
{
    /// <summary>More than any chain in use: what a Secret holds is not to cost every handshake some 100 KB.</summary>
    private const int MostCertificates = 10;

    private KeyedCertificate(X509Certificate2 leaf, X509Certificate2Collection intermediates) => (Leaf, Intermediates) = (leaf, intermediates);

    /// <summary>With its private key.</summary>
    public X509Certificate2 Leaf { get; }

    public X509Certificate2Collection Intermediates { get; }

    public DateTimeOffset NotBefore => Leaf.NotBefore.ToUniversalTime();

    public DateTimeOffset NotAfter => Leaf.NotAfter.ToUniversalTime();

    /// <param name="chain">PEM, the certificate first.</param>
    /// <param name="key">PEM: PKCS#8, PKCS#1 or SEC1, without a password.</param>
    /// <exception cref="FormatException">It cannot be used; the message says what is wrong, naming the Secret's key.</exception>
    public static KeyedCertificate Read(byte[]? chain, byte[]? key)
    {
        var certificates = CertificateAuthorities.ReadPem(chain, "tls.crt");
        if (certificates.Count > MostCertificates)
        {
            throw new FormatException($"tls.crt: has {certificates.Count} certificates; no more than {MostCertificates} are sent to clients");
        }

        if (key is not { Length: > 0 })
        {
            throw new FormatException("tls.key: is missing or empty");
        }

        var text = Encoding.ASCII.GetString(key);
        if (text.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw new FormatException("tls.key: is protected by a password; it must be without one");
        }

        try
        {
            var leaf = certificates[0];
            var keyed = X509Certificate2.CreateFromPem(leaf.ExportCertificatePem(), text);
            certificates.RemoveAt(0);
            leaf.Dispose();
            return new(keyed, certificates);
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            // One message of the framework's for many causes; a key that fits another certificate is by far the likeliest.
            throw new FormatException("tls.key: is no private key in PEM form that belongs to the first certificate of tls.crt", unusable);
        }
    }

    /// <summary>Whether a client that asks for this host would take it. A wildcard of a route is covered by the same wildcard.</summary>
    public bool Names(string host) => host.StartsWith("*.", StringComparison.Ordinal)
        ? Leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .Any(names => names.EnumerateDnsNames().Contains(host, StringComparer.OrdinalIgnoreCase))
        : Leaf.MatchesHostname(host, allowWildcards: true, allowCommonName: false);

    public void Dispose()
    {
        Leaf.Dispose();
        foreach (var certificate in Intermediates)
        {
            certificate.Dispose();
        }
    }
}
