using System.Diagnostics;
using System.Globalization;
using Orchestrator.Benchmarks.Engines;
using Orchestrator.Benchmarks.Processes;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>
/// How long until 30 replicas run on three engines, in alternating rounds: straight engine calls (the floor), ours, and Docker Swarm
/// (docs/design/benchmarks.md).
/// </summary>
internal static class ConvergeBenchmark
{
    private const int Hosts = 3;
    private const int Replicas = 30;
    private const int Starts = 4;

    /// <summary>Each side comes first, second and third twice.</summary>
    private const int Rounds = 6;
    private const int FewestRounds = 3;

    /// <summary>On a machine that is busy, no further round begins after this: what there is by then is told.</summary>
    private static readonly TimeSpan Enough = TimeSpan.FromMinutes(3.5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(290);

    /// <summary>After the last replica is ready, until nothing follows from it any more.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan IdleWatch = TimeSpan.FromSeconds(20);

    /// <param name="timeline">Shows where the time of two more rounds of ours goes.</param>
    public static Task RunAsync(TextWriter output, bool timeline, CancellationToken stop) =>
        LabRun.RunAsync(Hosts, Limit, (run, cancellationToken) => RunAsync(output, run.Lab, run.Engines, timeline, cancellationToken), stop);

    private static async Task RunAsync(
        TextWriter output, LabDescription lab, IReadOnlyList<EngineApi> engines, bool timeline, CancellationToken cancellationToken)
    {
        var began = Stopwatch.StartNew();
        var workload = new Workload(Replicas, lab.Image("web:v1"), engines);
        await Floor.RemoveAsync(workload); // of a run that was killed
        await Task.WhenAll(engines.Select(engine => engine.PullAsync(workload.Image)));
        var (fresh, again) = await StartsAsync(cancellationToken);

        await using var ours = await Ours.StartAsync(workload);
        await using var cluster = await SwarmCluster.StartAsync(engines, lab);
        var swarm = new Swarm(workload, cluster);
        var (floor, idle) = await WarmUpAsync(workload, ours, swarm, cancellationToken);

        ISide[] sides = [floor, ours, swarm];
        var times = sides.ToDictionary(side => side, side => new Samples($"{side.Name}, ms"));
        for (var round = 0; round < Rounds && (round < FewestRounds || began.Elapsed < Enough); round++)
        {
            for (var turn = 0; turn < sides.Length; turn++)
            {
                var side = sides[(round + turn) % sides.Length];
                times[side].Add(await side.RoundAsync(cancellationToken));
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"round {round + 1}: {side.Name} {times[side].Values[^1]:F0} ms"));
            }
        }

        for (var shown = 0; timeline && shown < 2; shown++)
        {
            await Timeline.WriteAsync(ours, workload, output, cancellationToken);
        }

        await ReportAsync(output, times[floor], times[ours], times[swarm], ours, fresh, again, idle);
    }

    private static async Task<(Samples Fresh, Samples Again)> StartsAsync(CancellationToken cancellationToken)
    {
        var (fresh, again) = (new Samples("serve to ready, new folder"), new Samples("serve to ready, again"));
        for (var start = 0; start < Starts; start++)
        {
            using var folder = new TemporaryFolder();
            foreach (var samples in new[] { fresh, again })
            {
                await using var serve = await ServeProcess.StartAsync(folder["data"], cancellationToken);
                samples.Add(serve.ReadyAfter);
            }
        }

        return (fresh, again);
    }

    /// <summary>One round of each that does not count: pages read from disk, code compiled, connections opened. And the idle watch.</summary>
    private static async Task<(Floor Floor, IdleUse Idle)> WarmUpAsync(Workload workload, Ours ours, Swarm swarm, CancellationToken cancellationToken)
    {
        await ours.ConvergeAsync(null, cancellationToken);
        var floor = Floor.Of(workload, await ours.ReadBackAsync());
        await Task.Delay(Settle, TimeProvider.System, cancellationToken);
        var idle = await ours.Processes.WatchAsync(IdleWatch, cancellationToken);
        await ours.RemoveAsync(cancellationToken);

        await floor.RoundAsync(cancellationToken);
        await swarm.RoundAsync(cancellationToken);
        ours.Forget();
        return (floor, idle);
    }

    private static async Task ReportAsync(
        TextWriter output, Samples floor, Samples ours, Samples swarm, Ours installation, Samples fresh, Samples again, IdleUse idle)
    {
        var table = new Table(output);
        await table.HeadAsync($"{Replicas} replicas");
        foreach (var side in new[] { floor, ours, swarm })
        {
            await table.RowAsync(side);
        }

        await table.RowAsync(Ratio("ours / floor", ours, floor), "F2");
        await table.RowAsync(Ratio("swarm / floor", swarm, floor), "F2");
        foreach (var side in new[] { installation.ServeCpu, installation.ProxyCpu, installation.Apply, fresh, again })
        {
            await table.RowAsync(side);
        }

        await output.WriteLineAsync($"{"idle, 30 replicas run",-28} {"% core",8} {"PSS MB",8} {"RSS MB",8}");
        foreach (var process in new[] { idle.Serve, idle.Proxy })
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{process.Name,-28} {process.CpuPercent,8:F2} {process.Proportional,8:F0} {process.Resident,8:F0}"));
        }

        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT converge_ratio={ours.Median / floor.Median:F2} swarm_ratio={swarm.Median / floor.Median:F2} floor_ms={floor.Median:F0} ours_ms={ours.Median:F0} swarm_ms={swarm.Median:F0} serve_ready_ms={fresh.Median:F0} idle_mb={idle.Serve.Proportional + idle.Proxy.Proportional:F0} idle_cpu_percent={idle.Serve.CpuPercent + idle.Proxy.CpuPercent:F2}"));
    }

    /// <summary>Round by round: what slowed one round down has slowed both sides.</summary>
    private static Samples Ratio(string name, Samples side, Samples floor)
    {
        var ratio = new Samples(name);
        foreach (var (above, below) in side.Values.Zip(floor.Values))
        {
            ratio.Add(above / below);
        }

        return ratio;
    }
}
