using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Plain;

/// <summary>A replica that keeps what it is sent and answers each request with the same bytes, one a connection.</summary>
internal sealed class ScriptedReplica : IAsyncDisposable
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public ScriptedReplica()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public EndpointId Id => new("replica", "127.0.0.1", Port);

    public string Answer { get; set; } = Ok;

    /// <summary>Whole ones, normalised.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
    }

    private async Task ServeAsync(TcpClient connection)
    {
        using (connection)
        {
            var message = await RawMessage.ReadAsync(connection.GetStream(), RawMessage.Kind.Request, _stop.Token);
            if (message is null || !message.IsWhole)
            {
                return;
            }

            Requests.Enqueue(message.ToString());
            await connection.GetStream().WriteAsync(Encoding.Latin1.GetBytes(Answer), _stop.Token);
        }
    }
}
