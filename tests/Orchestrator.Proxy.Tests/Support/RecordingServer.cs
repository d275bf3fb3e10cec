using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A replica that keeps each whole request as it came, to the byte, and answers it with 200.</summary>
internal sealed class RecordingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _requests = [];
    private readonly Task _accepting;

    public RecordingServer()
    {
        _listener.Start();
        Id = new("recorder", "127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port);
        _accepting = AcceptAsync();
    }

    public EndpointId Id { get; }

    /// <summary>Head and body of each.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

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
            _ = RecordAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
    }

    private async Task RecordAsync(TcpClient connection)
    {
        using (connection)
        {
            var stream = connection.GetStream();
            var (buffer, received) = (new byte[64 * 1024], "");
            while (await stream.ReadAsync(buffer, _stop.Token) is > 0 and var read)
            {
                received += Encoding.Latin1.GetString(buffer, 0, read);
                if (IsWhole(received))
                {
                    _requests.Enqueue(received);
                    received = "";
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), _stop.Token);
                }
            }
        }
    }

    private static bool IsWhole(string received)
    {
        var end = received.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
        {
            return false;
        }

        var (head, body) = (received[..end], received[(end + 4)..]);
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            return body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        }

        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase));
        return length is null || body.Length >= int.Parse(length["Content-Length: ".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
