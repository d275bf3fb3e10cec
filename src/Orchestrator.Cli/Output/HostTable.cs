using System.Globalization;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Cli.Usage;

namespace Orchestrator.Cli.Output;

/// <summary>Hosts with what they have, what of it is given away and what its replicas use, in units that a person compares at a glance.</summary>
internal static class HostTable
{
    private const string None = "<none>";

    private static readonly (string Suffix, decimal Bytes)[] Units =
        [("Ti", 1L << 40), ("Gi", 1L << 30), ("Mi", 1L << 20), ("Ki", 1L << 10)];

    /// <param name="usage">By name of host.</param>
    public static void Write(Terminal terminal, IEnumerable<DockerHost> hosts, IReadOnlyDictionary<string, UsageRow> usage, TimeProvider time)
    {
        var table = new TextTable(
            terminal,
            "NAME", "READY", "CORDONED", "VERSION", "REPLICAS",
            "CPU", "CPU-ALLOCATED", "CPU-USED", "MEMORY", "MEMORY-ALLOCATED", "MEMORY-USED",
            "IMAGES", "AGE", "ENDPOINT", "REASON");
        foreach (var host in hosts)
        {
            var status = host.Status;
            var used = status is null ? null : usage.GetValueOrDefault(host.Metadata.Name);
            var ready = Conditions.Find(status?.Conditions, ConditionTypes.Ready);
            table.Add(
                host.Metadata.Name,
                ready?.Status ?? None,
                host.Spec.IsCordoned ? "true" : "false",
                status?.EngineVersion ?? None,
                status is null ? None : status.Replicas.ToString(CultureInfo.InvariantCulture),
                Cores(Quantities.Find(status?.Capacity, ResourceNeeds.Cpu)),
                Cores(Quantities.Find(status?.Allocated, ResourceNeeds.Cpu)),
                Cores(used?.CpuCores),
                Bytes(Quantities.Find(status?.Capacity, ResourceNeeds.Memory)),
                Bytes(Quantities.Find(status?.Allocated, ResourceNeeds.Memory)),
                Bytes(used?.MemoryBytes),
                Images(status),
                host.Metadata.CreationTimestamp is { } created ? Durations.Age(time.GetUtcNow() - created) : "<unknown>",
                host.Spec.Endpoint,
                HostFlapping.HeldBackUntil(status, time.GetUtcNow()) is { } until
                    ? $"Flapping ({status!.Flapping!.Count} times, nothing new for {Durations.Age(until - time.GetUtcNow().UtcDateTime)})"
                    : ready?.Reason ?? None);
        }

        table.Write();
    }

    /// <summary>The status names so many images at most: there may be more.</summary>
    private static string Images(DockerHostStatus? status) => status?.Images?.Count switch
    {
        null => None,
        >= DockerHostStatus.MaxImages => $"{DockerHostStatus.MaxImages}+",
        { } count => count.ToString(CultureInfo.InvariantCulture),
    };

    private static string Cores(decimal? cores) => cores?.ToString("0.###", CultureInfo.InvariantCulture) ?? None;

    /// <summary>In the largest unit that it fills, to a tenth: <c>31.3Gi</c>, <c>512Mi</c>.</summary>
    private static string Bytes(decimal? bytes)
    {
        if (bytes is not { } count)
        {
            return None;
        }

        foreach (var (suffix, unit) in Units)
        {
            if (count >= unit)
            {
                return (count / unit).ToString("0.#", CultureInfo.InvariantCulture) + suffix;
            }
        }

        return count.ToString("0", CultureInfo.InvariantCulture);
    }
}
