using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>
/// A real TCP server on loopback that stands for a replica. Unless told otherwise it greets with its name and a line's end, as servers
/// do that have the first word, and sends back what it gets until the client ends.
/// </summary>
internal sealed class TcpReplica : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<Socket, Task> _serve;
    private readonly List<Socket> _sockets = [];
    private readonly Task _accepting;
    private int _accepted;
    private int _open;

    public TcpReplica(string name, Func<Socket, Task>? serve = null, string address = "127.0.0.1")
    {
        (Name, _serve) = (name, serve ?? GreetAndEchoAsync);
        _listener = new TcpListener(IPAddress.Parse(address), 0);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Name { get; }

    public EndpointId Id => new(Name, ((IPEndPoint)_listener.LocalEndpoint).Address.ToString(), ((IPEndPoint)_listener.LocalEndpoint).Port);

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Connections that are being served.</summary>
    public int OpenConnections => Volatile.Read(ref _open);

    public EndpointId Of(string revision) => Id with { Revision = revision };

    /// <summary>Ends as a process does that is killed: its kernel closes what it had.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Dispose());
        }
    }

    public static async Task EchoAsync(Socket socket)
    {
        var buffer = new byte[16 * 1024];
        for (int read; (read = await socket.ReceiveAsync(buffer)) > 0;)
        {
            await socket.SendAsync(buffer.AsMemory(0, read));
        }
    }

    private async Task GreetAndEchoAsync(Socket socket)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(Name + "\n"));
        await EchoAsync(socket);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var socket = await _listener.AcceptSocketAsync();
            lock (_sockets)
            {
                _sockets.Add(socket);
            }

            Interlocked.Increment(ref _accepted);
            Interlocked.Increment(ref _open);
            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using (socket)
            {
                await _serve(socket);
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            // The client, or the test, has ended it.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
