using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Listening;

public sealed class ProxyProtocolTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a.example.org\r\nX-Forwarded-For: 6.6.6.6\r\nConnection: close\r\n\r\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n", "203.0.113.7")]
    [InlineData("PROXY TCP6 2001:db8::7 fd00::1 4711 443\r\n", "2001:db8::7")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0021\u0011\0\u000C\u00CB\0\u0071\u0007\u000A\0\0\u0001\u0012\u0067\u0001\u00BB", "203.0.113.7")]
    [InlineData("\r\n\r\n\0\r\nQUIT\n\u0020\0\0\0", "6.6.6.6, 127.0.0.1")]
    public async Task The_client_is_whom_a_trusted_balancer_names(string header, string forwardedFor)
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Response.WriteAsync(context.Request.Headers["X-Forwarded-For"].ToString()));
        await using var proxy = await StartAsync("127.0.0.0/8");
        proxy.Serve(server.Id);

        var whole = await SendAsync(proxy, header + Get);
        var bitwise = await SendAsync(proxy, header[..3], header[3..], Get);

        Assert.EndsWith("\r\n" + forwardedFor + "\r\n0\r\n\r\n", whole, StringComparison.Ordinal);
        Assert.EndsWith("\r\n" + forwardedFor + "\r\n0\r\n\r\n", bitwise, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Get)]
    [InlineData("PROXY TCP4 nonsense\r\n" + Get)]
    [InlineData("PROXY TCP4 203.0.113.7")]
    public async Task A_trusted_balancers_connection_without_a_good_header_is_ended_without_an_answer(string sent)
    {
        await using var proxy = await StartAsync("127.0.0.0/8");

        Assert.Equal("", await SendAsync(proxy, ends: true, sent));
    }

    [Fact]
    public async Task Others_are_served_as_ever_and_choose_no_address()
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Response.WriteAsync(context.Request.Headers["X-Forwarded-For"].ToString()));
        await using var proxy = await StartAsync("10.0.0.0/8");
        proxy.Serve(server.Id);

        Assert.Contains("\r\n127.0.0.1\r\n", await SendAsync(proxy, Get), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 400 ", await SendAsync(proxy, "PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n" + Get), StringComparison.Ordinal);
    }

    private static Task<TestProxy> StartAsync(string trusted) =>
        TestProxy.StartAsync(options => options with { TrustedProxies = [IPNetwork.Parse(trusted)], AcceptProxyProtocol = true });

    private static Task<string> SendAsync(TestProxy proxy, params string[] parts) => SendAsync(proxy, ends: false, parts);

    /// <summary>All that comes until the connection ends.</summary>
    /// <param name="ends">Whether nothing more will be sent, and the proxy can tell.</param>
    private static async Task<string> SendAsync(TestProxy proxy, bool ends, params string[] parts)
    {
        using var connection = new TcpClient { NoDelay = true };
        await connection.ConnectAsync(proxy.Url.Host, proxy.Url.Port, Cancellation);
        var stream = connection.GetStream();
        foreach (var part in parts)
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(part), Cancellation);
        }

        if (ends)
        {
            connection.Client.Shutdown(SocketShutdown.Send);
        }

        var received = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            for (int read; (read = await stream.ReadAsync(buffer, Cancellation)) > 0;)
            {
                received.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Ended by a reset.
        }

        return received.ToString();
    }
}
