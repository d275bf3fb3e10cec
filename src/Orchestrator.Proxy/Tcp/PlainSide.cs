using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Orchestrator.Proxy.Tcp;

/// <summary>
/// A client without TLS. What is sent to it goes to its socket, past the listener's pipe: that would close the connection both ways when
/// one way ends.
/// </summary>
internal sealed class PlainSide(ConnectionContext connection) : IClientSide
{
    private readonly Socket _socket = SocketOf(connection);

    public PipeReader Input => connection.Transport.Input;

    public static Socket SocketOf(ConnectionContext connection) =>
        connection.Features.Get<IConnectionSocketFeature>()?.Socket ?? throw new InvalidOperationException("the connection has no socket");

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => Sockets.SendAllAsync(_socket, bytes);

    public ValueTask EndAsync()
    {
        _socket.Shutdown(SocketShutdown.Send);
        return ValueTask.CompletedTask;
    }

    /// <summary>Pipe and socket are the listener's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
