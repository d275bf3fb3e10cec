using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>Clients that reach a proxy on loopback under any host name.</summary>
internal static class TlsClient
{
    /// <param name="certificate">The client's own.</param>
    public static HttpClient New(int port, TestAuthority trust, X509Certificate2? certificate = null)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null && Trusts(trust, shown);
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>One request, by the version and no other.</summary>
    public static HttpRequestMessage Request(string url, Version? version = null, HttpMethod? method = null) => new(method ?? HttpMethod.Get, url)
    {
        Version = version ?? HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Requests on one connection whose handshake named a host of its own.</summary>
    /// <param name="version">1.1 or 2.0.</param>
    /// <param name="hosts">One a request, each after the one before was answered.</param>
    /// <returns>The status of each answer.</returns>
    public static async Task<int[]> AskAsync(
        int port, string serverName, Version version, X509Certificate2? certificate, string[] hosts, CancellationToken cancellationToken)
    {
        var isHttp2 = version.Major == 2;
        await using var stream = await ConnectAsync(
            port, serverName, SslProtocols.None, cancellationToken, certificate, isHttp2 ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11);
        var statuses = new int[hosts.Length];
        if (isHttp2)
        {
            await RawHttp2.BeginAsync(stream, cancellationToken);
        }

        for (var i = 0; i < hosts.Length; i++)
        {
            if (isHttp2)
            {
                statuses[i] = await RawHttp2.AskAsync(stream, streamId: (2 * i) + 1, hosts[i], cancellationToken);
                continue;
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HEAD / HTTP/1.1\r\nHost: {hosts[i]}\r\n\r\n"), cancellationToken);
            var answer = new byte[4096];
            var count = await stream.ReadAsync(answer, cancellationToken);
            statuses[i] = int.Parse(Encoding.ASCII.GetString(answer, 0, count).Split(' ')[1], CultureInfo.InvariantCulture);
        }

        return statuses;
    }

    /// <summary>A handshake and nothing more.</summary>
    /// <returns>The certificate that was shown. Own it.</returns>
    public static async Task<X509Certificate2> ShownAsync(int port, string name, CancellationToken cancellationToken)
    {
        await using var stream = await ConnectAsync(port, name, SslProtocols.None, cancellationToken);
        return X509CertificateLoader.LoadCertificate(stream.RemoteCertificate!.GetRawCertData());
    }

    public static async Task<SslStream> ConnectAsync(
        int port, string name, SslProtocols protocols, CancellationToken cancellationToken, X509Certificate2? certificate = null, SslApplicationProtocol? spoken = null)
    {
        var connection = new TcpClient();
        SslStream? stream = null;
        try
        {
            await connection.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            stream = new SslStream(connection.GetStream(), leaveInnerStreamOpen: false);
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    EnabledSslProtocols = protocols,
                    ApplicationProtocols = spoken is { } one ? [one] : null,
                    ClientCertificates = certificate is null ? null : [certificate],
                    LocalCertificateSelectionCallback = certificate is null ? null : (_, _, _, _, _) => certificate,
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                },
                cancellationToken);
            return stream;
        }
        catch
        {
            stream?.Dispose();
            connection.Dispose();
            throw;
        }
    }

    private static bool Trusts(TestAuthority trust, X509Certificate shown)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(trust.Certificate);
        using var copy = X509CertificateLoader.LoadCertificate(shown.GetRawCertData());
        return chain.Build(copy);
    }
}
