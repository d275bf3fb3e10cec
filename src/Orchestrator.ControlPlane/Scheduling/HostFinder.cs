namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Finds the best host for one more replica of a group. Within a round hosts only fill up, so a score only gets worse and what
/// no longer fits never fits again: hosts are ranked once for a group, and only the top is looked at anew. Topology constraints
/// are the exception (a placement in one domain makes the others better), and so is filling hosts up: there every host is looked at.
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
    public HostSlot? Find(PlacementGroup group)
    {
        // Ranking pays from the second replica on.
        var isFirst = !group.WasSearched;
        group.WasSearched = true;
        return alwaysScan || isFirst || group.Spread.Count > 0 || group.FillsUp ? Scan(group) : TakeTop(group);
    }

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

    private static HostSlot? TakeTop(PlacementGroup group)
    {
        group.Ranking ??= new PriorityQueue<HostSlot, HostScore>(group.Candidates.Select(slot => (slot, HostScore.Of(group, slot))));
        while (group.Ranking.TryPeek(out var slot, out var ranked))
        {
            if (!FilterPipeline.Fits(group, slot))
            {
                group.Ranking.Dequeue();
                continue;
            }

            var score = HostScore.Of(group, slot);
            if (score == ranked)
            {
                return slot;
            }

            // Others were placed there since it was ranked.
            group.Ranking.DequeueEnqueue(slot, score);
        }

        return null;
    }
}
