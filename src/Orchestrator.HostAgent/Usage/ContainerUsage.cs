namespace Orchestrator.HostAgent.Usage;

/// <summary>What a container uses, or why that is not known.</summary>
/// <param name="Time">Of the last of its samples, by the engine's clock; null when there is none.</param>
/// <param name="Window">What the processor time is averaged over; zero when <paramref name="CpuCores"/> is null.</param>
/// <param name="CpuCores">Cores in use; null when not known.</param>
/// <param name="MemoryBytes">As the docker CLI counts; null when not known.</param>
/// <param name="Problem">Why something is not known, as a part of a sentence; null when all is.</param>
public sealed record ContainerUsage(DateTimeOffset? Time, TimeSpan Window, decimal? CpuCores, long? MemoryBytes, string? Problem)
{
    /// <param name="problem">A part of a sentence.</param>
    public static ContainerUsage Unknown(string problem) => new(null, TimeSpan.Zero, null, null, problem);
}
