using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// A socket that somebody else holds too, and listens on when this process has ended. Kestrel's own listener would set the length of its queue
/// anew, and close it in the middle of an accept, for which the runtime sets it to reset connections (SO_LINGER of 0) or ends its listening:
/// both would stay with the socket.
/// </summary>
internal sealed class HandedOverSocket(Socket socket, SocketConnectionContextFactory connections) : IConnectionListener
{
    private readonly CancellationTokenSource _unbound = new();

    public EndPoint EndPoint => socket.LocalEndPoint!;

    /// <param name="socket">Listens already.</param>
    public static IConnectionListenerFactory Factory(Socket socket, bool inline) => new Once(socket, inline);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await socket.AcceptAsync(_unbound.Token);
                accepted.NoDelay = true;
                return connections.Create(accepted);
            }
            catch (OperationCanceledException)
            {
                return null;
            }
            catch (SocketException)
            {
                // The client was gone before it was its turn.
            }
        }
    }

    /// <summary>The accept that waits ends; the server disposes once it has.</summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await _unbound.CancelAsync();

    public async ValueTask DisposeAsync()
    {
        await _unbound.CancelAsync();
        socket.Dispose();
        connections.Dispose();
    }

    private sealed class Once(Socket socket, bool inline) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            var options = new SocketConnectionFactoryOptions { UnsafePreferInlineScheduling = inline };
            return ValueTask.FromResult<IConnectionListener>(
                new HandedOverSocket(socket, new SocketConnectionContextFactory(options, NullLogger.Instance)));
        }
    }
}
