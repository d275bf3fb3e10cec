using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Benchmarks.Probing;

/// <summary>
/// The probed side, in a process of its own: as many ports on loopback as there are replicas, each answering a GET and closing. It notes
/// when each connection came in. Told what to do by its standard input: <c>begin</c> forgets, <c>end</c> prints <see cref="Seen"/>,
/// its end ends it.
/// </summary>
internal sealed class ProbedServer
{
    private static readonly byte[] Answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"u8.ToArray();

    private readonly Lock _gate = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<(int Port, long At)> _accepted = [];

    public static async Task<int> RunAsync(int ports, TextReader commands, TextWriter output)
    {
        var server = new ProbedServer();
        var listeners = new List<Socket>();
        for (var i = 0; i < ports; i++)
        {
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(64);
            listeners.Add(listener);
            _ = server.AcceptAsync(listener, i);
        }

        await output.WriteLineAsync(string.Join(' ', listeners.Select(listener => ((IPEndPoint)listener.LocalEndPoint!).Port)));
        while (await commands.ReadLineAsync() is { } command)
        {
            if (command == "begin")
            {
                server.Forget();
            }
            else
            {
                await output.WriteLineAsync(server.Tell(ports));
            }
        }

        listeners.ForEach(listener => listener.Dispose());
        return 0;
    }

    private async Task AcceptAsync(Socket listener, int port)
    {
        while (true)
        {
            Socket connection;
            try
            {
                connection = await listener.AcceptAsync();
            }
            catch (SocketException)
            {
                // Disposed: it is over.
                return;
            }

            lock (_gate)
            {
                _accepted.Add((port, _time.GetTimestamp()));
            }

            _ = ServeAsync(connection);
        }
    }

    private static async Task ServeAsync(Socket connection)
    {
        using (connection)
        {
            try
            {
                // A GET fits into one segment; a probe of the port alone closes without one.
                if (await connection.ReceiveAsync(new byte[4096]) > 0)
                {
                    await connection.SendAsync(Answer);
                    connection.Shutdown(SocketShutdown.Send);
                }
            }
            catch (SocketException)
            {
                // Closed by reset: closed all the same.
            }
        }
    }

    private void Forget()
    {
        lock (_gate)
        {
            _accepted.Clear();
        }
    }

    private string Tell(int ports)
    {
        lock (_gate)
        {
            var slots = _accepted.GroupBy(one => (long)(_time.GetElapsedTime(0, one.At).TotalMilliseconds / 10)).Select(slot => slot.Count());
            var gaps = _accepted.GroupBy(one => one.Port)
                .SelectMany(port => port.Zip(port.Skip(1), (left, right) => _time.GetElapsedTime(left.At, right.At).TotalMilliseconds));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{_accepted.Count} {_accepted.Select(one => one.Port).Distinct().Count()} {100.0 * slots.DefaultIfEmpty().Max() / ports:F2} {gaps.DefaultIfEmpty().Max():F1}");
        }
    }

    /// <summary>What came in since <c>begin</c>.</summary>
    /// <param name="Connections">How many.</param>
    /// <param name="Ports">Ports that one came in at.</param>
    /// <param name="LargestSlotPercent">Of the probes of a second, the largest part that came in within 10 ms.</param>
    /// <param name="LongestGap">ms between two connections to one port, at most.</param>
    internal sealed record Seen(int Connections, int Ports, double LargestSlotPercent, double LongestGap)
    {
        public static Seen Parse(string line)
        {
            var words = line.Split(' ').Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToList();
            return new Seen((int)words[0], (int)words[1], words[2], words[3]);
        }
    }
}
