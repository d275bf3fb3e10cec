namespace Orchestrator.Runtime.Usage;

/// <summary>Says what containers use. Whoever runs the host agents has it; whoever scales by it asks.</summary>
public interface IUsageSource
{
    /// <summary>Takes up to a few seconds. An answer may be given again for some, whoever asks.</summary>
    /// <param name="host">Name of a DockerHost.</param>
    /// <param name="containers">Ids of containers on it.</param>
    /// <returns>Of those that are known: none when the host cannot be reached.</returns>
    Task<IReadOnlyDictionary<string, ResourceUsage>> ReadAsync(string host, IReadOnlyCollection<string> containers, CancellationToken cancellationToken);
}

/// <summary>What a container uses now.</summary>
/// <param name="CpuCores">On average over <paramref name="Window"/>.</param>
/// <param name="Window">That has just ended.</param>
public sealed record ResourceUsage(decimal CpuCores, long MemoryBytes, TimeSpan Window);
