using System.Diagnostics;

namespace Orchestrator.Benchmarks.Processes;

/// <summary>The two processes of an installation.</summary>
internal sealed record OrcProcesses(int Serve, int Proxy)
{
    public static OrcProcesses Of(string dataFolder)
    {
        var (serve, proxy) = (ProcessUse.Find("serve", dataFolder), ProcessUse.Find("proxy", dataFolder));
        return (serve, proxy) is ([var servePid], [var proxyPid])
            ? new(servePid, proxyPid)
            : throw new InvalidOperationException($"{serve.Count} 'orc serve' and {proxy.Count} 'orc proxy' run on {dataFolder}, instead of one each");
    }

    /// <summary>Watches them do nothing.</summary>
    public async Task<IdleUse> WatchAsync(TimeSpan watched, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var (serve, proxy) = (ProcessUse.Cpu(Serve), ProcessUse.Cpu(Proxy));
        await Task.Delay(watched, TimeProvider.System, cancellationToken);
        var percent = 100 / watch.Elapsed.TotalSeconds;
        return new(
            new("orc serve", (ProcessUse.Cpu(Serve) - serve).TotalSeconds * percent, ProcessUse.ProportionalMegabytes(Serve), ProcessUse.ResidentMegabytes(Serve)),
            new("orc proxy", (ProcessUse.Cpu(Proxy) - proxy).TotalSeconds * percent, ProcessUse.ProportionalMegabytes(Proxy), ProcessUse.ResidentMegabytes(Proxy)));
    }
}

internal sealed record IdleUse(ProcessIdle Serve, ProcessIdle Proxy);

/// <param name="CpuPercent">Of one core.</param>
/// <param name="Proportional">MB, with its part of what it shares.</param>
/// <param name="Resident">MB, with all of what it shares.</param>
internal sealed record ProcessIdle(string Name, double CpuPercent, double Proportional, double Resident);
