using System.Diagnostics;
using Orchestrator.Api;
using Orchestrator.Benchmarks.Engines;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>The engines' own work and nothing else: create and start through their API.</summary>
internal sealed class Floor(Workload workload, IReadOnlyList<CreateRequest> requests) : ISide
{
    /// <summary>For each host; as many as the agent starts at a time.</summary>
    private const int AtATime = 4;

    // In place of the installation's: its agent would take the containers for its own, which no Replica claims, and remove them.
    private const string Owner = "bench-converge-floor";
    private const string OwnerLabel = $"{Labels.Instance}={Owner}";

    public string Name => "floor";

    /// <summary>The very same bodies, but for whose they are.</summary>
    public static Floor Of(Workload workload, IReadOnlyList<CreateRequest> made)
    {
        foreach (var request in made)
        {
            request.Body["Labels"]![Labels.Instance] = Owner;
        }

        return new(workload, made);
    }

    public async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Calls under way are not cut off: an engine would carry them out all the same, after we have looked for what to remove.
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(requests.GroupBy(request => request.Engine).Select(engine => Parallel.ForEachAsync(
                engine,
                new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken },
                async (request, _) => await engine.Key.CreateAndStartAsync(request))));
            return watch.Elapsed;
        }
        finally
        {
            await RemoveAsync(workload);
        }
    }

    /// <summary>All of the floor's containers, of earlier runs too.</summary>
    public static Task RemoveAsync(Workload workload) => Task.WhenAll(workload.Engines.Select(async engine =>
        await Parallel.ForEachAsync(
            await engine.ContainersAsync(OwnerLabel),
            new ParallelOptions { MaxDegreeOfParallelism = AtATime },
            async (container, _) => await engine.RemoveAsync(container))));
}
