namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Finds the best host for one more replica of a group: from a ranking (<see cref="HostRanking"/>) or, where none would pay or hold, by a look
/// at every host.
/// </summary>
/// <param name="alwaysScan">Looks at every host each time: the plain meaning, which tests hold the ranking against.</param>
internal sealed class HostFinder(bool alwaysScan = false)
{
    private IReadOnlyList<HostSlot>? _withoutWishes;

    /// <summary>The hosts that the filters on hosts alone let through; for the many groups without wishes, found once.</summary>
    public IReadOnlyList<HostSlot> CandidatesFor(PlacementGroup group, IReadOnlyList<HostSlot> slots)
    {
        if (group.Placement is { HostSelector: null or { Count: 0 }, Tolerations: null or { Count: 0 }, Architectures: null or { Count: 0 } }
            && group.Placement.Affinity?.Hosts?.Required is null)
        {
            return _withoutWishes ??= Filter();
        }

        return Filter();

        List<HostSlot> Filter() => [.. slots.Where(slot => FilterPipeline.IsCandidate(group, slot))];
    }

    /// <returns>Null when none fits.</returns>
    public HostSlot? Find(PlacementGroup group) =>

        // A ranking takes as long to make as a scan, and filling a host up makes it better, which no ranking follows.
        alwaysScan || group.FillsUp || group.Waiting == 1 ? Scan(group) : (group.Ranking ??= new HostRanking(group)).Top();

    private static HostSlot? Scan(PlacementGroup group)
    {
        HostSlot? best = null;
        HostScore bestScore = default;
        foreach (var slot in group.Candidates)
        {
            if (!FilterPipeline.Fits(group, slot))
            {
                continue;
            }

            var score = HostScore.Of(group, slot);
            if (best is null || score.CompareTo(bestScore) < 0)
            {
                (best, bestScore) = (slot, score);
            }
        }

        return best;
    }
}
