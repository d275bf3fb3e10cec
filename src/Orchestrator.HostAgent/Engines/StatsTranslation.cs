using Docker.DotNet.Models;
using Orchestrator.HostAgent.Usage;

namespace Orchestrator.HostAgent.Engines;

/// <summary>From Docker's statistics to <see cref="ContainerSample"/>.</summary>
internal static class StatsTranslation
{
    // Page cache that is not in active use: its name with cgroups of version 2 and of version 1.
    private const string InactiveFile = "inactive_file";
    private const string TotalInactiveFile = "total_inactive_file";

    /// <returns>Null when the container does not run: the answer is empty then.</returns>
    public static ContainerSample? Sample(ContainerStatsResponse answer) =>
        answer.Read.Year <= 1 || answer.CPUStats?.CPUUsage is not { } cpu
            ? null
            : new ContainerSample(
                new DateTimeOffset(DateTime.SpecifyKind(answer.Read, DateTimeKind.Utc)), cpu.TotalUsage, MemoryOf(answer.MemoryStats));

    /// <summary>calculateMemUsageUnixNoCache of the docker CLI. Version 1 is asked first: there the other name means the container's own group alone.</summary>
    private static long MemoryOf(MemoryStats? memory)
    {
        if (memory?.Usage is not { } usage)
        {
            return 0;
        }

        var idle = 0ul;
        var found = memory.Stats is { } stats && (stats.TryGetValue(TotalInactiveFile, out idle) || stats.TryGetValue(InactiveFile, out idle));
        return (long)(found && idle < usage ? usage - idle : usage);
    }
}
