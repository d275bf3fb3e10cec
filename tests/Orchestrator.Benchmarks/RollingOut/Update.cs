using System.Diagnostics;
using Orchestrator.Benchmarks.Engines;

namespace Orchestrator.Benchmarks.RollingOut;

/// <summary>What is the same for both sides: when an update is over, as the engines themselves see it.</summary>
internal sealed record Update(int Replicas, int AtOnce, IReadOnlyList<EngineApi> Engines)
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Between two looks at all engines.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Until just so many containers run, all of the image; Swarm keeps some of those that have ended.</summary>
    /// <param name="label">The containers'.</param>
    public async Task<TimeSpan> UntilOverAsync(string label, string image, Stopwatch since, CancellationToken cancellationToken)
    {
        while (true)
        {
            var seen = (await Task.WhenAll(Engines.Select(engine => engine.ImagesAsync(label, cancellationToken)))).SelectMany(list => list).ToList();
            var took = since.Elapsed;
            var running = seen.Where(container => container.State != "exited").ToList();
            if (running.Count == Replicas && running.TrueForAll(container => container == (image, "running")))
            {
                return took;
            }

            if (took > Limit)
            {
                throw new TimeoutException($"not over within {Limit.TotalSeconds} s: {string.Join(", ", seen.Select(container => $"{container.Image} {container.State}"))}");
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }
}
