using System.Net;
using System.Net.Sockets;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A listening socket whose queue is full and that nobody accepts from: the kernel drops what asks to connect.</summary>
internal sealed class FullBacklog : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _waiting = [];

    public FullBacklog()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        for (var i = 0; i < 4; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            _waiting.Add(socket);
            try
            {
                socket.Connect(_listener.LocalEndPoint!);
            }
            catch (SocketException pending) when (pending.SocketErrorCode == SocketError.InProgress || pending.SocketErrorCode == SocketError.WouldBlock)
            {
                // It fills the queue or waits for a place in it.
            }
        }
    }

    public EndpointId Id => new("full", "127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);

    /// <summary>From now on whoever asks is let in.</summary>
    public async Task LetInAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                _waiting.Add(await _listener.AcceptAsync(cancellationToken));
            }
            catch (OperationCanceledException)
            {
                // Nobody is waited for any more.
            }
        }
    }

    public void Dispose()
    {
        _waiting.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
