using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>
/// A server that misbehaves to the byte: what each of its requests gets is scripted, and null breaks the connection off
/// instead of answering.
/// </summary>
internal sealed class RawReplicaServer : IAsyncDisposable
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<TcpClient> _connections = [];
    private readonly Func<int, string?> _answer;
    private readonly bool _reset;
    private readonly Task _accepting;
    private int _requests;
    private int _open;

    /// <param name="answer">Given how many requests came before.</param>
    /// <param name="reset">How it breaks off: by a reset, or by an end in good order, as the kernel does for a process that died.</param>
    public RawReplicaServer(string name, Func<int, string?> answer, bool reset = true)
    {
        (Name, _answer, _reset) = (name, answer, reset);
        _listener.Start();
        Id = new(name, "127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);
        _accepting = AcceptAsync();
    }

    public string Name { get; }

    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Connections that nobody has closed.</summary>
    public int Open => Volatile.Read(ref _open);

    public EndpointId Id { get; }

    /// <summary>Breaks off every connection there is.</summary>
    public void DropConnections()
    {
        foreach (var connection in _connections)
        {
            // Resets it, without a word of goodbye.
            connection.Client?.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var connection = await _listener.AcceptTcpClientAsync(_stop.Token);
            _connections.Add(connection);
            Interlocked.Increment(ref _open);
            _ = ServeAsync(connection);
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        try
        {
            await AnswerAllAsync(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task AnswerAllAsync(TcpClient connection)
    {
        using (connection)
        {
            var stream = connection.GetStream();
            var buffer = new byte[64 * 1024];
            var received = "";
            while (true)
            {
                var read = await stream.ReadAsync(buffer, _stop.Token);
                if (read == 0)
                {
                    return;
                }

                received += Encoding.Latin1.GetString(buffer, 0, read);
                if (!received.Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    continue;
                }

                received = "";
                if (_answer(Interlocked.Increment(ref _requests) - 1) is not { } answer)
                {
                    if (_reset)
                    {
                        connection.Client.Close(0);
                    }

                    return;
                }

                await stream.WriteAsync(Encoding.Latin1.GetBytes(answer), _stop.Token);
            }
        }
    }
}
