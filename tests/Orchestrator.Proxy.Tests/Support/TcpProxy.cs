using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A proxy with one app that has a port for TCP.</summary>
internal sealed class TcpProxy(TestProxy proxy) : IAsyncDisposable
{
    public const string AppName = "echo";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public TestProxy Proxy => proxy;

    public int Port { get; } = FreePort.Next();

    public AppState App => proxy.App;

    public static async Task<TcpProxy> StartAsync(Func<ProxyOptions, ProxyOptions>? with = null, TimeProvider? clockOfRoutes = null) =>
        new(await TestProxy.StartAsync(with, clockOfRoutes));

    public Task ServeAsync(params EndpointId[] endpoints) => ServeAsync(new Route(), default, endpoints);

    public Task ServeAsync(Route route, params EndpointId[] endpoints) => ServeAsync(route, default, endpoints);

    public async Task ServeAsync(Route route, Traffic traffic, params EndpointId[] endpoints)
    {
        (route.Protocol, route.Port) = (ReplicaProtocols.Tcp, Port);
        proxy.ServeRoutes(new AppRoute(new ObjectKey(proxy.Namespace, AppName), route, [.. RouteClaims.Of(route)], endpoints, traffic));
        await Eventually.True(() => proxy.Listeners.OwnPorts.Contains(Port));
    }

    /// <param name="from">Address of the client, of loopback.</param>
    public async Task<TcpUser> ConnectAsync(string from = "127.0.0.1")
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Port), Cancellation);
        return new(socket);
    }

    /// <summary>A connection that the proxy resets at once, maybe before its own side knows that there is one.</summary>
    public async Task IsResetAsync()
    {
        var failure = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using var user = await ConnectAsync();
            await user.ReceiveToEndAsync();
        });
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
    }

    /// <summary>Connections that have ended so.</summary>
    public double Ended(Orchestrator.Proxy.Tcp.TcpEnd end) => App.Tcp.Ended(end).Value;

    public ValueTask DisposeAsync() => proxy.DisposeAsync();
}

/// <summary>A client with a bare socket.</summary>
internal sealed class TcpUser(Socket socket) : IDisposable
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What does not come within it does not come at all.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Socket Socket => socket;

    public async Task SendAsync(string text) => await socket.SendAsync(Encoding.Latin1.GetBytes(text), Cancellation);

    /// <summary>As many bytes as the text has.</summary>
    public async Task<string> ReceiveAsync(int count)
    {
        var buffer = new byte[count];
        var read = 0;
        while (read < count)
        {
            var got = await ReceiveAsync(buffer.AsMemory(read));
            Assert.True(got > 0, $"ended after \"{Encoding.Latin1.GetString(buffer, 0, read)}\"");
            read += got;
        }

        return Encoding.Latin1.GetString(buffer);
    }

    /// <summary>Up to the first line's end, which is left out.</summary>
    public async Task<string> ReceiveLineAsync()
    {
        var line = new StringBuilder();
        while (await ReceiveAsync(1) is var next && next != "\n")
        {
            line.Append(next);
        }

        return line.ToString();
    }

    /// <summary>All until the other side ends.</summary>
    public async Task<string> ReceiveToEndAsync()
    {
        var (all, buffer) = (new StringBuilder(), new byte[64 * 1024]);
        for (int read; (read = await ReceiveAsync(buffer)) > 0;)
        {
            all.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return all.ToString();
    }

    private Task<int> ReceiveAsync(Memory<byte> buffer) =>
        socket.ReceiveAsync(buffer, Cancellation).AsTask().WaitAsync(Patience, Cancellation);

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    /// <summary>What is left to come ends in a reset, and not in an end that would pass for the whole.</summary>
    public async Task IsResetAsync()
    {
        var failure = await Assert.ThrowsAsync<SocketException>(ReceiveToEndAsync);
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
    }

    public void Reset() => socket.Close(timeout: 0);

    public void Dispose() => socket.Dispose();
}
