using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>Replicas that are told of their clients by the PROXY protocol.</summary>
public sealed class SentProxyProtocolTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ProxyProtocolVersions.V1)]
    [InlineData(ProxyProtocolVersions.V2)]
    public async Task Each_connection_to_a_replica_begins_with_its_client_and_serves_no_other(string version)
    {
        await using var replica = new HeaderServer();
        await using var proxy = await TestProxy.StartAsync();
        proxy.Routes.ReplaceAll(
        [
            new AppRoute(
                new ObjectKey(proxy.Namespace, "web"),
                new Route { ProxyProtocol = version },
                [new RouteClaim(null, null, "/")],
                [new EndpointId("web", "127.0.0.1", replica.Port)]),
        ]);
        using var other = TestProxy.NewClient(proxy.Url);

        var first = await proxy.Client.GetStringAsync("/", Cancellation);
        var second = await other.GetStringAsync("/", Cancellation);

        // Kept for this client, whose next request comes by the same connection.
        Assert.Equal(first, await proxy.Client.GetStringAsync("/", Cancellation));
        Assert.NotEqual(first, second);
        Assert.Equal(2, replica.Connections);
        Assert.StartsWith("127.0.0.1:", first, StringComparison.Ordinal);
        Assert.Equal($"127.0.0.1:{proxy.Url.Port}", replica.Host);
    }

    /// <summary>Reads a header and answers each request of the connection with the client it named.</summary>
    private sealed class HeaderServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ConcurrentBag<TcpClient> _clients = [];
        private readonly Task _accepting;
        private int _connections;

        public HeaderServer()
        {
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public int Connections => Volatile.Read(ref _connections);

        public string? Host { get; private set; }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var client in _clients)
            {
                client.Dispose();
            }
        }

        private async Task AcceptAsync()
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(Cancellation);
                _clients.Add(client);
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client.GetStream());
            }
        }

        private async Task ServeAsync(NetworkStream stream)
        {
            var buffer = new byte[64 * 1024];
            var (filled, header) = (0, 0);
            IPEndPoint? client = null;
            while (await stream.ReadAsync(buffer.AsMemory(filled), Cancellation) is > 0 and var read)
            {
                filled += read;
                if (header == 0 && ProxyProtocolHeader.Read(buffer.AsSpan(0, filled), out header, out client) == ProxyProtocolRead.Bad)
                {
                    return;
                }

                var request = Encoding.Latin1.GetString(buffer, header, filled - header);
                if (request.EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    Host = request.Split("\r\n").Single(line => line.StartsWith("Host: ", StringComparison.Ordinal))["Host: ".Length..];
                    await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {client!.ToString().Length}\r\n\r\n{client}"), Cancellation);
                    filled = header;
                }
            }
        }
    }
}
