using System.Diagnostics;
using System.Globalization;
using Orchestrator.SimulatedEngines;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>Simulated engines in processes of their own, several of them: a process may have only so many sockets open.</summary>
internal sealed class EngineFarm : IAsyncDisposable
{
    public const string Image = "registry.invalid/web:v1";

    /// <summary>Engines a process.</summary>
    private const int Share = 250;

    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _processes = [];

    private EngineFarm(int engines) => Engines = engines;

    public int Engines { get; }

    /// <summary>Processor time so far, by all its processes.</summary>
    public TimeSpan Cpu => TimeSpan.FromTicks(_processes.Sum(process => Processes.ProcessUse.Cpu(process.Id).Ticks));

    /// <summary>Returns when every engine listens.</summary>
    /// <exception cref="InvalidOperationException">A process did not start, or may not have as many sockets open.</exception>
    public static async Task<EngineFarm> StartAsync(int engines, int containersAnEngine, double latencyFactor, CancellationToken cancellationToken)
    {
        OpenFiles.Require(Math.Min(engines, Share) * (1 + OpenFiles.ConnectionsAHost + containersAnEngine), $"a process of {Math.Min(engines, Share)} simulated engines");
        var farm = new EngineFarm(engines);
        try
        {
            for (var first = 0; first < engines; first += Share)
            {
                await farm.StartAsync(farm.FolderOf(first), Math.Min(Share, engines - first), latencyFactor, cancellationToken);
            }

            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    /// <param name="engine">From 0.</param>
    public string SocketOf(int engine) => new SimulationOptions(FolderOf(engine), Share, [Image]).SocketOf((engine % Share) + 1);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
            {
                await Command.RunAsync("kill", ["-TERM", $"{process.Id}"], cancellationToken: CancellationToken.None);
                await process.WaitForExitAsync(CancellationToken.None);
            }

            process.Dispose();
        }

        _folder.Dispose();
    }

    private string FolderOf(int engine) => _folder[(engine / Share).ToString(CultureInfo.InvariantCulture)];

    private async Task StartAsync(string folder, int engines, double latencyFactor, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "Orchestrator.SimulatedEngines"),
            [folder, engines.ToString(CultureInfo.InvariantCulture), latencyFactor.ToString(CultureInfo.InvariantCulture), Image])
        {
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("the simulated engines did not start");
        _processes.Add(process);
        if (await process.StandardOutput.ReadLineAsync(cancellationToken) != "ready")
        {
            throw new InvalidOperationException("the simulated engines ended before they were ready");
        }
    }
}
