using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Tls;

public sealed class TlsListenerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("shop.example.org", "shop.example.org")]
    [InlineData("SHOP.example.org", "shop.example.org")]
    [InlineData("a.example.org", "*.example.org")]
    [InlineData("a.b.example.org", "*.example.org")]
    [InlineData("a.deep.example.org", "*.deep.example.org")]
    [InlineData("elsewhere.test", "default.test")]
    public async Task A_certificate_is_shown_by_the_name_that_is_asked_for(string asked, string shown)
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        proxy.Add("all", "*.example.org", server, new RouteTls(), ["*.example.org"]);
        proxy.Add("deep", "*.deep.example.org", server, new RouteTls(), ["*.deep.example.org"]);
        proxy.ShowByDefault("default.test");

        using var certificate = await TlsClient.ShownAsync(proxy.Port, asked, Cancellation);

        Assert.Equal([shown], NamesOf(certificate));
    }

    [Fact]
    public async Task An_app_cannot_show_its_certificate_for_a_host_that_it_does_not_hold()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("thief", "thief.example.org", server, new RouteTls(), ["bank.example.org", "thief.example.org"]);
        proxy.ShowByDefault("default.test");

        using var certificate = await TlsClient.ShownAsync(proxy.Port, "bank.example.org", Cancellation);

        Assert.Equal(["default.test"], NamesOf(certificate));
    }

    [Fact]
    public async Task Without_a_certificate_for_the_name_the_handshake_fails_and_others_do_not()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("bare", "bare.example.org", server, new RouteTls());
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => TlsClient.ShownAsync(proxy.Port, "bare.example.org", Cancellation));
        Assert.True(failure is IOException or AuthenticationException, failure.ToString());
        using var client = proxy.Client();
        Assert.Equal("web", await client.GetStringAsync("https://shop.example.org/", Cancellation));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_request_goes_through_and_the_replica_knows_that_it_came_by_tls(string version)
    {
        var seen = ("", "");
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            seen = (context.Request.Headers["X-Forwarded-Proto"].ToString(), context.Request.Headers["X-Forwarded-Host"].ToString());
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            await context.Response.WriteAsync($"{context.Request.Method} {context.Request.Path} {context.Request.Host} {body.Length}");
        });
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        using var client = proxy.Client();

        using var request = TlsClient.Request("https://shop.example.org/a?b", Version.Parse(version), HttpMethod.Post);
        request.Content = new ByteArrayContent(new byte[100_000]);
        using var response = await client.SendAsync(request, Cancellation);

        Assert.Equal(Version.Parse(version), response.Version);
        Assert.Equal("POST /a shop.example.org 100000", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(("https", "shop.example.org"), seen);
        Assert.False(response.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Many_requests_share_one_http2_connection()
    {
        using var gate = new SemaphoreSlim(0);
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            await gate.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync(context.Connection.Id);
        });
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        using var client = proxy.Client();

        var asking = Enumerable.Range(0, 60).Select(async _ =>
        {
            using var request = TlsClient.Request("https://shop.example.org/");
            using var response = await client.SendAsync(request, Cancellation);
            return response.StatusCode;
        }).ToList();
        await Eventually.True(() => Task.FromResult(server.Requests == 60));
        gate.Release(60);

        Assert.All(await Task.WhenAll(asking), status => Assert.Equal(HttpStatusCode.OK, status));
    }

    [Fact]
    public async Task A_new_certificate_is_shown_without_a_connection_dropped()
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Response.WriteAsync(context.Connection.RemotePort.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        using var stream = await TlsClient.ConnectAsync(proxy.Port, "shop.example.org", SslProtocols.None, Cancellation);
        var before = stream.RemoteCertificate!.GetCertHashString();
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(stream), StringComparison.Ordinal);

        proxy.Show("shop", ["shop.example.org", "new.example.org"]);

        using var shown = await TlsClient.ShownAsync(proxy.Port, "shop.example.org", Cancellation);
        Assert.Equal(["shop.example.org", "new.example.org"], NamesOf(shown));
        Assert.NotEqual(before, shown.GetCertHashString());
        Assert.StartsWith("HTTP/1.1 200", await AskAsync(stream), StringComparison.Ordinal);
    }

    [Theory]
#pragma warning disable SYSLIB0039, CA5397 // What is refused is what is tested.
    [InlineData(SslProtocols.Tls11, false)]
#pragma warning restore SYSLIB0039, CA5397
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task Only_tls_1_2_and_later_is_spoken(SslProtocols protocol, bool isSpoken)
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);

        if (isSpoken)
        {
            await using var stream = await TlsClient.ConnectAsync(proxy.Port, "shop.example.org", protocol, Cancellation);
            Assert.Equal(protocol, stream.SslProtocol);
            return;
        }

        await Assert.ThrowsAnyAsync<Exception>(() => TlsClient.ConnectAsync(proxy.Port, "shop.example.org", protocol, Cancellation));
    }

    [Theory]
    [InlineData("/a%2Fb?c=d", "https://shop.example.org:{0}/a%2Fb?c=d")]
    [InlineData("http://shop.example.org/x?y", "https://shop.example.org:{0}/x?y")]
    [InlineData("//evil.example.org/", "https://shop.example.org:{0}//evil.example.org/")]
    public async Task A_plain_request_is_sent_to_https(string target, string expected)
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);

        var answer = await RawClient.SendAsync(proxy.Proxy.Url, $"POST {target} HTTP/1.1\r\nHost: shop.example.org\r\nContent-Length: 0\r\n\r\n", Cancellation);

        Assert.StartsWith("HTTP/1.1 308", answer, StringComparison.Ordinal);
        var location = string.Format(System.Globalization.CultureInfo.InvariantCulture, expected, proxy.Port);
        Assert.Contains($"Location: {location}", answer, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(0, server.Requests);
    }

    [Fact]
    public async Task A_plain_request_is_sent_to_the_port_that_users_know()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync(options => options with { HttpsPort = 443 });
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);

        var answer = await RawClient.SendAsync(proxy.Proxy.Url, "GET /a HTTP/1.1\r\nHost: shop.example.org\r\n\r\n", Cancellation);

        Assert.Contains("Location: https://shop.example.org/a\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_request_is_served_where_the_route_says_no_redirect_or_there_is_no_tls_listener()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls { Redirect = false }, ["shop.example.org"]);
        await using var plain = await TestProxy.StartAsync();
        plain.ServeRoutes(new Proxy.Routing.AppRoute(new(plain.Namespace, "web"), new Route { Tls = new() }, [new RouteClaim(null, null, "/")], [server.Id]));

        const string request = "GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n";
        Assert.StartsWith("HTTP/1.1 200", await RawClient.SendAsync(proxy.Proxy.Url, request, Cancellation), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200", await RawClient.SendAsync(plain.Url, request, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_of_http_1_0_without_a_host_has_nowhere_to_be_sent_to()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("any", null, server, new RouteTls(), ["any.example.org"]);

        var answer = await RawClient.SendAsync(proxy.Proxy.Url, "GET / HTTP/1.0\r\n\r\n", Cancellation);

        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        Assert.Contains("Proxy-Status: orchestrator", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Browsers_are_told_to_remember_by_https_alone_and_whatever_the_app_says()
    {
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=1";
            return Task.CompletedTask;
        });
        await using var proxy = await TlsProxy.StartAsync();
        var hsts = new StrictTransport { MaxAgeSeconds = 600, IncludeSubDomains = true, Preload = true };
        proxy.Add("shop", "shop.example.org", server, new RouteTls { Redirect = false, Hsts = hsts }, ["shop.example.org"]);
        proxy.Proxy.ServeRoutes(
            [.. proxy.Proxy.Routes.Table.Apps.Select(app => new Proxy.Routing.AppRoute(app.Key, app.Policy.Route, app.Claims, null)),
            new(new(proxy.Proxy.Namespace, "gone"), new Route { Tls = new() { Hsts = new() } }, [new RouteClaim(null, "gone.example.org", "/")], [])]);
        proxy.Show("gone", ["gone.example.org"]);
        using var client = proxy.Client();

        using var response = await client.GetAsync("https://shop.example.org/", Cancellation);
        Assert.Equal(["max-age=600; includeSubDomains; preload"], response.Headers.GetValues("Strict-Transport-Security"));
        using var own = await client.GetAsync("https://gone.example.org/", Cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, own.StatusCode);
        Assert.Equal(["max-age=31536000"], own.Headers.GetValues("Strict-Transport-Security"));
        var plain = await RawClient.SendAsync(proxy.Proxy.Url, "GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n", Cancellation);
        Assert.Contains("Strict-Transport-Security: max-age=1\r\n", plain, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_own_port_of_an_app_is_tls_from_when_its_route_says_so_and_sends_plain_requests_to_itself()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        var port = FreePort.Next();
        var route = new Proxy.Routing.AppRoute(new(proxy.Proxy.Namespace, "own"), new Route(), [new RouteClaim(port, null, "/")], [server.Id]);
        proxy.Proxy.ServeRoutes(route);
        proxy.Show("own", ["own.example.org"]);
        var url = new Uri($"http://127.0.0.1:{port}/");
        const string request = "GET /x HTTP/1.1\r\nHost: own.example.org\r\n\r\n";
        await Eventually.See(() => RawClient.SendAsync(url, request, Cancellation), answer => answer.StartsWith("HTTP/1.1 200", StringComparison.Ordinal));
        await Assert.ThrowsAnyAsync<Exception>(() => TlsClient.ShownAsync(port, "own.example.org", Cancellation));

        proxy.Proxy.ServeRoutes(route with { Route = new() { Tls = new() } });

        using var client = TlsClient.New(port, proxy.Authority);
        Assert.Equal("web", await client.GetStringAsync("https://own.example.org/", Cancellation));
        Assert.Contains($"Location: https://own.example.org:{port}/x\r\n", await RawClient.SendAsync(url, request, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_own_port_that_is_the_tls_listeners_cannot_be_had()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync(options => options with { TakeOver = true });

        proxy.Add("own", null, server, new RouteTls(), ["own.example.org"], port: proxy.Port);

        await Eventually.True(() => Task.FromResult(proxy.Proxy.Listeners.Failures.ContainsKey(proxy.Port)));
        Assert.Contains("--tls-listen", proxy.Proxy.Listeners.Failures[proxy.Port], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("nonsense\r\n")]
    public async Task What_is_not_tls_is_told_so_on_the_tls_listener(string sent)
    {
        await using var proxy = await TlsProxy.StartAsync();

        var answer = await RawClient.SendAsync(new Uri($"http://127.0.0.1:{proxy.Port}/"), sent, Cancellation);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.EndsWith("400 HttpsOnly: this port is for https, not for plain HTTP\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_handshakes_leave_the_listener_as_it_was()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        byte[][] rubbish = [[0x16], [0x16, 3, 1, 0xff, 0xff, 1, 2, 3], [0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0], [.. Enumerable.Repeat((byte)0x16, 5000)]];
        foreach (var bytes in rubbish)
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, proxy.Port, Cancellation);
            await connection.GetStream().WriteAsync(bytes, Cancellation);
        }

        using var client = proxy.Client();
        Assert.Equal("web", await client.GetStringAsync("https://shop.example.org/", Cancellation));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_websocket_goes_through_tls(string version)
    {
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[100];
            var got = await socket.ReceiveAsync(buffer, context.RequestAborted);
            await socket.SendAsync(buffer.AsMemory(0, got.Count), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);
        using var client = proxy.Client();
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = Version.Parse(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await socket.ConnectAsync(new Uri("wss://shop.example.org/chat"), client, Cancellation);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Cancellation);
        var answer = new byte[100];
        var received = await socket.ReceiveAsync(answer, Cancellation);

        Assert.Equal("hello", Encoding.UTF8.GetString(answer, 0, received.Count));
    }

    [Fact]
    public async Task A_session_is_resumed()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TlsProxy.StartAsync();
        proxy.Add("shop", "shop.example.org", server, new RouteTls(), ["shop.example.org"]);

        // Two connections by the same name; what the second one costs is seen in what the server sends of its certificate: nothing.
        var resumed = await ResumptionAsync(proxy.Port);
        Assert.Equal([false, true], resumed);
    }

    private static async Task<bool[]> ResumptionAsync(int port)
    {
        var resumed = new List<bool>();
        for (var i = 0; i < 2; i++)
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, port, Cancellation);
            var counting = new CountingStream(connection.GetStream());
            await using var stream = new System.Net.Security.SslStream(counting);
            await stream.AuthenticateAsClientAsync(
                new System.Net.Security.SslClientAuthenticationOptions
                {
                    TargetHost = "shop.example.org",
                    EnabledSslProtocols = SslProtocols.Tls12,
                    RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                },
                Cancellation);

            // A certificate and a signature of it are some 600 bytes; a resumed handshake of TLS 1.2 has neither.
            resumed.Add(counting.BytesRead < 400);
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: shop.example.org\r\nConnection: close\r\n\r\n"u8.ToArray(), Cancellation);
            while (await stream.ReadAsync(new byte[4096], Cancellation) > 0)
            {
            }
        }

        return [.. resumed];
    }

    /// <summary>An answer to its end, which is that of its chunks: what were left of it would be taken for the next one's beginning.</summary>
    private static async Task<string> AskAsync(System.Net.Security.SslStream stream)
    {
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: shop.example.org\r\n\r\n"u8.ToArray(), Cancellation);
        var (buffer, answer) = (new byte[4096], "");
        while (!answer.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, Cancellation);
            Assert.True(read > 0, $"ended after: {answer}");
            answer += Encoding.Latin1.GetString(buffer, 0, read);
        }

        return answer;
    }

    private static IEnumerable<string> NamesOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames();
}
