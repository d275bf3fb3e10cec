using Orchestrator.Benchmarks.Engines;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>One of those that are measured against each other.</summary>
internal interface ISide
{
    string Name { get; }

    /// <summary>One round: makes the replicas, and removes them again, which is not measured.</summary>
    /// <returns>How long it took until all were there.</returns>
    Task<TimeSpan> RoundAsync(CancellationToken cancellationToken);
}

/// <summary>What is the same for all sides.</summary>
/// <param name="Image">On every host beforehand.</param>
internal sealed record Workload(int Replicas, string Image, IReadOnlyList<EngineApi> Engines)
{
    /// <summary>Beyond this something is broken, and no measurement.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
}
