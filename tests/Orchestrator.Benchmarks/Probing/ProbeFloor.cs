using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Benchmarks.Probing;

/// <summary>As many connections a second by nothing but sockets: what no prober can be cheaper than.</summary>
internal sealed class ProbeFloor(IReadOnlyList<int> ports, bool get) : IAsyncDisposable
{
    private static readonly byte[] Request = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"u8.ToArray();

    private readonly CancellationTokenSource _stop = new();
    private Task _work = Task.CompletedTask;

    public void Start() => _work = RunAsync(_stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10), time);
        var done = 0L;
        while (await ticks.WaitForNextTickAsync(cancellationToken))
        {
            for (var due = (long)(time.GetElapsedTime(began).TotalSeconds * ports.Count); done < due; done++)
            {
                _ = AskAsync(ports[(int)(done % ports.Count)]);
            }
        }
    }

    private async Task AskAsync(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            if (get)
            {
                await socket.SendAsync(Request);
                var buffer = new byte[1024];
                while (await socket.ReceiveAsync(buffer) > 0)
                {
                }
            }
        }
        catch (SocketException)
        {
            // The server counts what arrives.
        }
    }
}
