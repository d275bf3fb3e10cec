using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.Proxy.Tls;

/// <summary>
/// What a handshake has agreed on, for Kestrel and for the requests of the connection: among others which host name the client
/// asked for and the certificate it showed. One a connection; requests of HTTP/2 look side by side.
/// </summary>
internal sealed class TlsConnection : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature
{
    private readonly X509Certificate2Collection _sent = [];
    private volatile Judgement? _last;
    private string? _field;

    /// <summary>Of the handshake (SNI); empty when the client named none.</summary>
    public string ServerName { get; set; } = "";

    /// <summary>Whether the client was asked for a certificate.</summary>
    public bool HasAsked { get; set; }

    /// <summary>What the client showed; good or not.</summary>
    public X509Certificate2? ClientCertificate { get; set; }

    public SslProtocols Protocol { get; private set; }

    public TlsCipherSuite? NegotiatedCipherSuite { get; private set; }

    public string HostName => ServerName;

    public ReadOnlyMemory<byte> ApplicationProtocol { get; private set; }

    /// <summary>The certificate as the field Client-Cert has it (RFC 9440).</summary>
    public string? ClientCertificateField =>
        ClientCertificate is null ? null : _field ??= $":{Convert.ToBase64String(ClientCertificate.RawDataMemory.Span)}:";

#pragma warning disable SYSLIB0058 // Obsolete members of the interface, which nobody here asks for.
    public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;

    public int CipherStrength => 0;

    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;

    public int HashStrength => 0;

    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    /// <summary>Keeps what the client shows in its handshake. Nothing is refused here: which app it is for, only a request says.</summary>
    public bool Take(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        // The framework takes its own back when the handshake is over.
        ClientCertificate = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        if (certificate is not null && chain is not null)
        {
            foreach (var sent in chain.ChainPolicy.ExtraStore)
            {
                _sent.Add(X509CertificateLoader.LoadCertificate(sent.RawDataMemory.Span));
            }
        }

        return true;
    }

    public void Complete(SslStream stream) =>
        (Protocol, NegotiatedCipherSuite, ApplicationProtocol) =
            (stream.SslProtocol, stream.NegotiatedCipherSuite, stream.NegotiatedApplicationProtocol.Protocol);

    /// <summary>Whether the client's certificate is good for these authorities now. Looked into once for as long as they are the same.</summary>
    public bool IsFrom(CertificateAuthorities authorities, DateTimeOffset now)
    {
        if (ClientCertificate is not { } certificate)
        {
            return false;
        }

        var last = _last;
        if (last?.Authorities != authorities)
        {
            _last = last = new(authorities, authorities.Accept(certificate, _sent, now));
        }

        return last.IsGood && now <= certificate.NotAfter.ToUniversalTime();
    }

    private sealed record Judgement(CertificateAuthorities Authorities, bool IsGood);
}
