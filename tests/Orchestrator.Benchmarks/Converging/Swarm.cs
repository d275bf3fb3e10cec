using System.Diagnostics;
using System.Globalization;
using Orchestrator.Benchmarks.Engines;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>A service of Docker Swarm.</summary>
internal sealed class Swarm(Workload workload, SwarmCluster cluster) : ISide
{
    private const string Service = "bench-converge";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public string Name => "swarm";

    /// <summary>From the command's start until all replicas run, as Swarm itself counts them.</summary>
    public async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Detached: the command would wait another five seconds to see that nothing falls over.
            var watch = Stopwatch.StartNew();
            await cluster.RequireAsync(
                "service", "create", "--detach", "--name", Service, "--replicas", workload.Replicas.ToString(CultureInfo.InvariantCulture),
                "--stop-grace-period", "1s", workload.Image);
            int running;
            while ((running = (await cluster.Manager.RunningTasksAsync(cancellationToken)).GetValueOrDefault(Service)) < workload.Replicas)
            {
                if (watch.Elapsed > Workload.Limit)
                {
                    throw new TimeoutException($"Swarm ran {running} of {workload.Replicas} replicas within {Workload.Limit.TotalSeconds} s");
                }

                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }

            return watch.Elapsed;
        }
        finally
        {
            await cluster.RemoveAsync(Service, Workload.Limit);
        }
    }
}
