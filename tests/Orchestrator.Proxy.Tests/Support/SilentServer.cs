using System.Net;
using System.Net.Sockets;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>
/// A host of its own (another address of loopback) whose replica takes requests and answers none, until it goes silent: then the
/// kernel drops what asks to connect, as if the host were cut off.
/// </summary>
internal sealed class SilentServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _sockets = [];
    private readonly Task _accepting;
    private int _requests;
    private volatile bool _silent;

    public SilentServer(string name, string address = "127.0.0.2")
    {
        _listener.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        _listener.Listen(0);
        Id = new(name, address, ((IPEndPoint)_listener.LocalEndPoint!).Port);
        _accepting = AcceptAsync();
    }

    public EndpointId Id { get; }

    /// <summary>Connections on which something was sent.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public async Task GoSilentAsync()
    {
        _silent = true;
        await _stop.CancelAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // One waits to be accepted, the others for a place in the queue.
        for (var i = 0; i < 4; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _sockets.Add(socket);
            try
            {
                socket.Connect(_listener.LocalEndPoint!);
            }
            catch (SocketException pending) when (pending.SocketErrorCode is SocketError.InProgress or SocketError.WouldBlock)
            {
                // What it is for.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_silent)
        {
            await _stop.CancelAsync();
            await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _listener.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var socket = await _listener.AcceptAsync(_stop.Token);
            _sockets.Add(socket);
            if (await socket.ReceiveAsync(new byte[64 * 1024], _stop.Token) > 0)
            {
                Interlocked.Increment(ref _requests);
            }
        }
    }
}
