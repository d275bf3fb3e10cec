using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Proxy.Tls;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.Proxy.Tests.Tcp;

/// <summary>Who the client is, by the PROXY protocol on both sides and by TLS.</summary>
public sealed class TcpClientsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProxyProtocolVersions.V1)]
    [InlineData(ProxyProtocolVersions.V2)]
    public async Task A_replica_is_told_of_the_client_before_it_gets_its_first_byte(string version)
    {
        await using var replica = new TcpReplica("told", TellAsync);
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(new Route { ProxyProtocol = version }, replica.Id);
        using var user = await proxy.ConnectAsync();
        await user.SendAsync("first");

        Assert.Equal($"{user.Socket.LocalEndPoint} says first", await user.ReceiveToEndAsync());
    }

    [Fact]
    public async Task The_client_that_a_trusted_balancer_names_is_the_one_that_replicas_hear_of_and_that_limits_count()
    {
        await using var replica = new TcpReplica("told", TellAsync);
        await using var proxy = await TcpProxy.StartAsync(options => options with
        {
            TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")], AcceptProxyProtocol = true,
        });
        var route = new Route { ProxyProtocol = ProxyProtocolVersions.V2, RateLimit = new() { RequestsPerSecond = 1, By = RateLimitKeys.Client } };
        await proxy.ServeAsync(route, replica.Id);

        Assert.Equal("203.0.113.7:4711 says hi", await SayAsync("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\nhi"));
        Assert.Equal("203.0.113.8:4712 says hi", await SayAsync("PROXY TCP4 203.0.113.8 10.0.0.1 4712 443\r\nhi"));
        using var again = await proxy.ConnectAsync();
        await again.SendAsync("PROXY TCP4 203.0.113.7 10.0.0.1 4713 443\r\nhi");
        await again.IsResetAsync();

        // Who names none is no balancer.
        using var nobody = await proxy.ConnectAsync();
        await nobody.SendAsync("hello, this is no header\r\n");
        await nobody.IsResetAsync();

        async Task<string> SayAsync(string said)
        {
            using var user = await proxy.ConnectAsync();
            await user.SendAsync(said);
            return await user.ReceiveToEndAsync();
        }
    }

    [Fact]
    public async Task A_port_with_tls_shows_the_apps_certificate_and_either_side_may_end_first()
    {
        await using var replica = new TcpReplica("inside");
        await using var proxy = await TcpProxy.StartAsync();
        using var authority = new TestAuthority();
        await ServeTlsAsync(proxy, new RouteTls(), authority, clients: null, replica);

        await using (var stream = await TlsClient.ConnectAsync(proxy.Port, "redis.example.org", SslProtocols.None, Cancellation, spoken: new SslApplicationProtocol("redis")))
        {
            Assert.Equal("inside\n", await ReadAsync(stream, 7));
            await stream.WriteAsync("last words"u8.ToArray(), Cancellation);
            await stream.ShutdownAsync();
            Assert.Equal("last words", await ReadAsync(stream, 10));
            Assert.Equal(0, await stream.ReadAsync(new byte[1], Cancellation));
            Assert.Equal(authority.Certificate.Subject, stream.RemoteCertificate!.Issuer);
        }

        await Eventually.True(() => proxy.Ended(TcpEnd.Closed) == 1);

        using var plain = await proxy.ConnectAsync();
        await plain.SendAsync("PING\r\nPING\r\nPING\r\n");
        await Eventually.True(() => proxy.Ended(TcpEnd.TlsRefused) == 1);
        Assert.Equal(1, replica.Accepted);
    }

    [Fact]
    public async Task An_app_that_asks_for_certificates_gets_no_client_without_a_good_one()
    {
        await using var replica = new TcpReplica("inside");
        await using var proxy = await TcpProxy.StartAsync();
        using var authority = new TestAuthority();
        using var strangers = new TestAuthority();
        await ServeTlsAsync(proxy, new RouteTls { ClientAuth = new() { SecretName = "clients" } }, authority, authority, replica);
        using var good = authority.Client("known");
        using var bad = strangers.Client("stranger");

        await using var known = await TlsClient.ConnectAsync(proxy.Port, "redis.example.org", SslProtocols.None, Cancellation, good);
        Assert.Equal("inside\n", await ReadAsync(known, 7));

        foreach (var certificate in new[] { null, bad })
        {
            await using var refused = await TlsClient.ConnectAsync(proxy.Port, "redis.example.org", SslProtocols.None, Cancellation, certificate);
            await Assert.ThrowsAnyAsync<IOException>(async () => Assert.NotEqual(0, await refused.ReadAsync(new byte[1], Cancellation)));
        }

        Assert.Equal(2, proxy.Ended(TcpEnd.TlsRefused));
        Assert.Equal(1, replica.Accepted);
    }

    private static async Task ServeTlsAsync(TcpProxy proxy, RouteTls tls, TestAuthority authority, TestAuthority? clients, TcpReplica replica)
    {
        var (certificate, key) = authority.Server(10, ["redis.example.org"]);
        await proxy.ServeAsync(new Route { Tls = tls }, replica.Id);
        proxy.Proxy.Tls.Use(new(
            new Dictionary<ObjectKey, AppCertificates>
            {
                [proxy.App.Key] = new(TlsCertificate.Read(certificate, key), clients is null ? null : CertificateAuthorities.Read(clients.Pem)),
            },
            null));
    }

    private static async Task<string> ReadAsync(SslStream stream, int count)
    {
        var buffer = new byte[count];
        await stream.ReadExactlyAsync(buffer, Cancellation);
        return Encoding.ASCII.GetString(buffer);
    }

    /// <summary>Tells who the client is said to be and what came first, then ends.</summary>
    private static async Task TellAsync(System.Net.Sockets.Socket socket)
    {
        var (bytes, buffer) = (new List<byte>(), new byte[1]);
        IPEndPoint? client = null;
        var length = 0;
        while (ProxyProtocolHeader.Read(bytes.ToArray(), out length, out client) != ProxyProtocolRead.Done)
        {
            Assert.Equal(1, await socket.ReceiveAsync(buffer));
            bytes.Add(buffer[0]);
        }

        var said = new byte[100];
        var count = await socket.ReceiveAsync(said);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"{client} says {Encoding.ASCII.GetString(said, 0, count)}"));
    }
}
