using System.Diagnostics;
using System.Net.Sockets;
using Orchestrator.Benchmarks.Processes;

namespace Orchestrator.Benchmarks.Proxying;

/// <summary>A server in the foreground, with whatever processes it starts, until it is disposed of.</summary>
internal sealed class Daemon : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private Daemon(Process process, int port)
    {
        (_process, Port) = (process, port);
        _errors = process.StandardError.ReadToEndAsync();
    }

    public int Port { get; }

    /// <summary>Null: none of its ports is for TLS.</summary>
    public int? TlsPort { get; init; }

    /// <summary>Its own id and those of its children.</summary>
    private IEnumerable<int> Processes => File.ReadAllText($"/proc/{_process.Id}/task/{_process.Id}/children")
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).Prepend(_process.Id);

    /// <summary>Processor time so far.</summary>
    public TimeSpan Cpu => Processes.Aggregate(TimeSpan.Zero, (sum, pid) => sum + ProcessUse.Cpu(pid));

    /// <summary>MB of memory, each process with its part of what it shares.</summary>
    public double Megabytes => Processes.Sum(ProcessUse.ProportionalMegabytes);

    /// <summary>Returns when it takes connections.</summary>
    /// <exception cref="InvalidOperationException">It ended, or took none in time.</exception>
    public static async Task<Daemon> StartAsync(
        string program,
        IReadOnlyList<string> arguments,
        int port,
        CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? environment = null,
        int? tlsPort = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var daemon = new Daemon(Process.Start(start)!, port) { TlsPort = tlsPort };
        daemon._process.OutputDataReceived += (_, _) => { };
        daemon._process.BeginOutputReadLine();
        try
        {
            await daemon.SeeListeningAsync(cancellationToken);
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await Command.RunAsync("kill", ["-TERM", $"{_process.Id}"], cancellationToken: CancellationToken.None);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private async Task SeeListeningAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (!await TakesConnectionsAsync(cancellationToken))
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} ended with {_process.ExitCode}:\n{await _errors}");
            }

            if (watch.Elapsed > Limit)
            {
                throw new InvalidOperationException($"{_process.StartInfo.FileName} does not listen on port {Port} after {Limit.TotalSeconds} s");
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }

    private async Task<bool> TakesConnectionsAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", Port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
