using System.Diagnostics;
using System.Globalization;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>How many replicas are ready, as the apps' statuses say, over time.</summary>
internal static class ReadyCurve
{
    /// <summary>Lines of it, about.</summary>
    private const int Steps = 20;

    /// <summary>Between two looks: the error of the measurement.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Writes a line for each step. Returns when all are ready.</summary>
    /// <exception cref="TimeoutException">They were not within the limit.</exception>
    public static async Task FollowAsync(
        TextWriter output, ResourceClient<WebApp> apps, int replicas, Stopwatch watch, TimeSpan limit, CancellationToken cancellationToken)
    {
        await output.WriteLineAsync($"{"s",8} {"ready",8}");
        for (var (ready, told) = (0, 0); ready < replicas;)
        {
            ready = (await apps.ListAsync(null, null, cancellationToken)).Items.Sum(app => app.Status?.ReadyReplicas ?? 0);
            if (ready == replicas || ready - told >= Math.Max(1, replicas / Steps))
            {
                told = ready;
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds,8:F1} {ready,8}"));
            }

            if (ready < replicas)
            {
                if (watch.Elapsed > limit)
                {
                    throw new TimeoutException($"{ready} of {replicas} replicas were ready within {limit.TotalSeconds} s");
                }

                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
            }
        }
    }
}
