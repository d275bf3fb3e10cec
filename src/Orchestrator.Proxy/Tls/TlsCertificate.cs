using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.Proxy.Tls;

/// <summary>What is spoken inside TLS.</summary>
internal enum TlsProtocols
{
    /// <summary>HTTP of the version that a client prefers of those there are (ALPN).</summary>
    Http,

    /// <summary>Not our business: nothing is agreed on, whatever a client offers.</summary>
    Any,
}

/// <summary>A certificate as it is shown in handshakes. Never disposed: handshakes that began with it may still be under way.</summary>
internal sealed class TlsCertificate
{
    /// <summary>By preference. HTTP/2 first, as in all servers.</summary>
    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    /// <summary>None of the framework's own look at a client's certificate goes out to fetch anything: we look ourselves.</summary>
    private static readonly X509ChainPolicy NoDownloads = new()
    {
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        TrustMode = X509ChainTrustMode.CustomRootTrust,
    };

    private readonly SslStreamCertificateContext _context;
    private readonly SslServerAuthenticationOptions _http;
    private readonly SslServerAuthenticationOptions _any;

    private TlsCertificate(KeyedCertificate certificate)
    {
        Keyed = certificate;

        // Offline: no intermediates and no OCSP answers are fetched. One context for all handshakes is what sessions are resumed by.
        _context = SslStreamCertificateContext.Create(certificate.Leaf, certificate.Intermediates, offline: true);
        (_http, _any) = (NewOptions(null, TlsProtocols.Http), NewOptions(null, TlsProtocols.Any));
    }

    public KeyedCertificate Keyed { get; }

    /// <summary>For handshakes in which no certificate of the client is asked for.</summary>
    public SslServerAuthenticationOptions OptionsFor(TlsProtocols protocols) => protocols == TlsProtocols.Http ? _http : _any;

    /// <exception cref="FormatException">It cannot be used; says why.</exception>
    public static TlsCertificate Read(byte[]? chain, byte[]? key)
    {
        var certificate = KeyedCertificate.Read(chain, key);
        try
        {
            return new(certificate);
        }
        catch (Exception unusable) when (unusable is CryptographicException or AuthenticationException or NotSupportedException)
        {
            certificate.Dispose();
            throw new FormatException($"tls.crt: cannot be served: {unusable.Message}", unusable);
        }
    }

    /// <summary>
    /// For a handshake in which the client is asked for its certificate, which the connection keeps. Whether it is a good one is
    /// decided by request. Such sessions are not resumed: of what the client sent, they would keep only half.
    /// </summary>
    public SslServerAuthenticationOptions OptionsAsking(TlsConnection connection, TlsProtocols protocols) => NewOptions(connection, protocols);

    // No cipher suites are named: the framework's are all with forward secrecy and authenticated, in this order: and with a list of our
    // own it would not resume sessions.
    private SslServerAuthenticationOptions NewOptions(TlsConnection? asking, TlsProtocols protocols) => new()
    {
        ServerCertificateContext = _context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = protocols == TlsProtocols.Http ? Protocols : null,
        AllowRenegotiation = false,
        AllowTlsResume = asking is null,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        ClientCertificateRequired = asking is not null,
        CertificateChainPolicy = asking is null ? null : NoDownloads,
#pragma warning disable CA5359 // It only keeps the client's certificate: TlsGate looks at it, by request.
        RemoteCertificateValidationCallback = asking is null ? null : asking.Take,
#pragma warning restore CA5359
    };
}
