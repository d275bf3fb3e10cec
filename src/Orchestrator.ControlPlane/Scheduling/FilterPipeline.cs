using Orchestrator.ControlPlane.Scheduling.Filters;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>The filters in their order, and what they say when none fits.</summary>
internal static class FilterPipeline
{
    /// <summary>Depend on the host alone: checked once for a group and round.</summary>
    private static readonly IHostFilter[] OnHost =
    [
        new ReadyFilter(), new FlappingFilter(), new CordonFilter(), new TaintFilter(), new HostSelectorFilter(), new HostAffinityFilter(), new ArchitectureFilter(),
    ];

    /// <summary>Depend on what runs there: checked for each replica.</summary>
    private static readonly IHostFilter[] OnLoad =
        [new CpuFilter(), new MemoryFilter(), new MaxReplicasFilter(), new AntiAffinityFilter(), new SpreadFilter(), new PortFilter()];

    /// <summary>Those of them that no other app's leaving would change.</summary>
    private static readonly IHostFilter[] OnRest = [.. OnLoad.Where(filter => filter is not (CpuFilter or MemoryFilter or PortFilter))];

    public static bool IsCandidate(PlacementGroup group, HostSlot slot) => Passes(OnHost, group, slot);

    /// <param name="slot">A candidate.</param>
    public static bool Fits(PlacementGroup group, HostSlot slot) => Passes(OnLoad, group, slot);

    /// <summary>Whether nothing but room is missing, if anything.</summary>
    /// <param name="slot">A candidate.</param>
    public static bool FitsButForRoom(PlacementGroup group, HostSlot slot) => Passes(OnRest, group, slot);

    /// <summary>
    /// All that rules a host out, in the words of each filter; nothing when it fits. A spread says something only of candidates, since the
    /// domains are theirs.
    /// </summary>
    public static IReadOnlyList<string> Reasons(PlacementGroup group, HostSlot slot)
    {
        var isCandidate = IsCandidate(group, slot);
        return
        [
            .. OnHost.Concat(OnLoad)
                .Where(filter => (isCandidate || filter is not SpreadFilter) && !filter.Check(group, slot))
                .Select(filter => filter.Explain(group, slot)),
        ];
    }

    /// <summary>
    /// Why no host fits, the reason that ruled out most hosts first: <c>0/3 hosts: 2 insufficient memory, 1 cordoned</c>.
    /// </summary>
    public static string Explain(PlacementGroup group, IReadOnlyCollection<HostSlot> slots)
    {
        if (slots.Count == 0)
        {
            return "0/0 hosts: there is no DockerHost yet";
        }

        var reasons = slots
            .Select(slot => OnHost.Concat(OnLoad).FirstOrDefault(filter => !filter.Check(group, slot))?.Explain(group, slot) ?? "fit now")
            .GroupBy(reason => reason)
            .OrderByDescending(reason => reason.Count())
            .ThenBy(reason => reason.Key, StringComparer.Ordinal)
            .Select(reason => $"{reason.Count()} {reason.Key}");
        return $"0/{slots.Count} hosts: {string.Join(", ", reasons)}";
    }

    private static bool Passes(IHostFilter[] filters, PlacementGroup group, HostSlot slot)
    {
        foreach (var filter in filters)
        {
            if (!filter.Check(group, slot))
            {
                return false;
            }
        }

        return true;
    }
}
