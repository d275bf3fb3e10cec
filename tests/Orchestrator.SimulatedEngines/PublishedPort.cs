using System.Net;
using System.Net.Sockets;

namespace Orchestrator.SimulatedEngines;

/// <summary>
/// A running container's port: a socket of its own, so that a taken port fails as it does for a real engine, that answers any
/// HTTP/1.1 request without a body with 200. Cheap: no server, and no buffer but while a connection is open.
/// </summary>
internal sealed class PublishedPort : IDisposable
{
    private static readonly byte[] Answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"u8.ToArray();

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _closed = new();

    private PublishedPort()
    {
    }

    /// <exception cref="SocketException">The port is taken, or the address is not this machine's.</exception>
    public static PublishedPort Open(IPEndPoint address)
    {
        var port = new PublishedPort();
        try
        {
            port._listener.Bind(address);
            port._listener.Listen();
        }
        catch
        {
            port.Dispose();
            throw;
        }

        _ = port.AcceptAsync();
        return port;
    }

    /// <summary>Closes it and what is connected to it.</summary>
    public void Dispose()
    {
        _closed.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptAsync(_closed.Token));
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // Closed, or a client that gave up before it was accepted.
            }
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        using (connection)
        {
            var buffer = new byte[2048];
            var length = 0;
            try
            {
                while (await connection.ReceiveAsync(buffer.AsMemory(length), _closed.Token) is > 0 and var read)
                {
                    length += read;
                    if (buffer.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
                    {
                        await connection.SendAsync(Answer, _closed.Token);
                        length = 0;
                    }
                    else if (length == buffer.Length)
                    {
                        return;
                    }
                }
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException)
            {
                // The client is gone, or the container is.
            }
        }
    }
}
