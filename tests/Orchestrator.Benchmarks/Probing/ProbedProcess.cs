using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Benchmarks.Probing;

/// <summary>The process that <see cref="ProbedServer"/> is in.</summary>
internal sealed class ProbedProcess : IAsyncDisposable
{
    /// <summary>The command of this program that is the server.</summary>
    public const string Command = "probed-server";

    private readonly Process _process;

    private ProbedProcess(Process process, IReadOnlyList<int> ports)
    {
        _process = process;
        Ports = ports;
    }

    public IReadOnlyList<int> Ports { get; }

    public static async Task<ProbedProcess> StartAsync(int ports, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Command, ports.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("the probed server did not start");
        var line = await process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("the probed server ended at once");
        return new ProbedProcess(process, [.. line.Split(' ').Select(word => int.Parse(word, CultureInfo.InvariantCulture))]);
    }

    public async Task BeginAsync()
    {
        await _process.StandardInput.WriteLineAsync("begin");
        await _process.StandardInput.FlushAsync();
    }

    public async Task<ProbedServer.Seen> EndAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("end");
        await _process.StandardInput.FlushAsync(cancellationToken);
        return ProbedServer.Seen.Parse(
            await _process.StandardOutput.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("the probed server has ended"));
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
