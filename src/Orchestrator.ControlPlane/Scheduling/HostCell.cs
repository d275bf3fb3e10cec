namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Hosts that are in the same domains of the coarse constraints of their group, ranked among each other by what these say nothing of.
/// </summary>
internal sealed class HostCell
{
    private readonly PlacementGroup _group;
    private readonly List<SpreadCount> _coarse;
    private readonly List<SpreadCount> _fine;
    private readonly HostSlot _any;
    private readonly PriorityQueue<HostSlot, HostScore> _ranked;
    private readonly List<HostSlot> _aside = [];

    /// <param name="coarse">Those that treat all hosts of the cell alike.</param>
    /// <param name="fine">Hard ones that do not.</param>
    public HostCell(PlacementGroup group, IReadOnlyList<HostSlot> hosts, List<SpreadCount> coarse, List<SpreadCount> fine)
    {
        (_group, _coarse, _fine, _any) = (group, coarse, fine, hosts[0]);
        var inCoarse = InCoarseDomains();
        _ranked = new(hosts.Select(slot => (slot, Among(HostScore.Of(group, slot), inCoarse))));
    }

    /// <summary>The best host and its score, as they are now; null when none fits.</summary>
    public (HostSlot Slot, HostScore Score)? Top()
    {
        if (_coarse.Exists(spread => spread.Forbids(_any)))
        {
            return null;
        }

        var inCoarse = InCoarseDomains();
        while (_ranked.TryPeek(out var slot, out var ranked))
        {
            if (_fine.Exists(spread => spread.Forbids(slot)))
            {
                _aside.Add(_ranked.Dequeue());
                continue;
            }

            if (!FilterPipeline.Fits(_group, slot))
            {
                _ranked.Dequeue();
                continue;
            }

            var score = HostScore.Of(_group, slot);
            var among = Among(score, inCoarse);
            if (among == ranked)
            {
                return (slot, score);
            }

            // Others were placed there since it was ranked.
            _ranked.DequeueEnqueue(slot, among);
        }

        return null;
    }

    /// <summary>Takes in again what was put aside because a constraint forbade it.</summary>
    public void Reopen()
    {
        var inCoarse = InCoarseDomains();
        foreach (var slot in _aside)
        {
            _ranked.Enqueue(slot, Among(HostScore.Of(_group, slot), inCoarse));
        }

        _aside.Clear();
    }

    private static HostScore Among(HostScore score, int inCoarse) => score with { InDomains = score.InDomains - inCoarse };

    private int InCoarseDomains()
    {
        var sum = 0;
        foreach (var spread in _coarse)
        {
            sum += spread.IsHard ? 0 : HostScore.InDomain(spread, _any);
        }

        return sum;
    }
}
