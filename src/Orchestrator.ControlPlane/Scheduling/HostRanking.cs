namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// The candidates of a group, best first, by scores that may be outdated. Within a round hosts only fill up, so a score only gets worse and
/// what no longer fits never fits again: only the top needs to be looked at anew.
/// <para>
/// Spread constraints are the exception, since a placement in one domain changes what all of its hosts are worth, and may open others. So
/// hosts of the same domains are a cell (<see cref="HostCell"/>): what changes for all of them is known once for the cell. A constraint
/// whose domains are hardly more than a host each makes no cells; it changes few hosts at a time, and is looked at with each.
/// </para>
/// </summary>
internal sealed class HostRanking
{
    /// <summary>Hosts of a domain, on average, from which a constraint makes cells.</summary>
    private const int HostsWorthACell = 2;

    private readonly PlacementGroup _group;
    private readonly List<HostCell> _all;
    private readonly PriorityQueue<HostCell, HostScore> _open = new();
    private int _least;

    public HostRanking(PlacementGroup group)
    {
        _group = group;
        var coarse = group.Spread.FindAll(spread => spread.Domains * HostsWorthACell <= group.Candidates.Count);
        var fine = group.Spread.Except(coarse).Where(spread => spread.IsHard).ToList();
        _all = [.. group.Candidates.GroupBy(slot => Domains(slot, coarse)).Select(cell => new HostCell(group, [.. cell], coarse, fine))];
        Open();
    }

    /// <returns>Null when none fits.</returns>
    public HostSlot? Top()
    {
        if (SumOfLeast() > _least)
        {
            Open();
        }

        while (_open.TryPeek(out var cell, out var ranked))
        {
            if (cell.Top() is not { } top)
            {
                // Nothing that fits, unless the least of a constraint rises.
                _open.Dequeue();
            }
            else if (top.Score == ranked)
            {
                return top.Slot;
            }
            else
            {
                _open.DequeueEnqueue(cell, top.Score);
            }
        }

        return null;
    }

    /// <summary>At first, and when what hard constraints forbade may be allowed.</summary>
    private void Open()
    {
        _least = SumOfLeast();
        _open.Clear();
        foreach (var cell in _all)
        {
            cell.Reopen();
            if (cell.Top() is { } top)
            {
                _open.Enqueue(cell, top.Score);
            }
        }
    }

    private int SumOfLeast()
    {
        var sum = 0;
        foreach (var spread in _group.Spread)
        {
            sum += spread.IsHard ? spread.Least : 0;
        }

        return sum;
    }

    /// <summary>No label value has a line feed.</summary>
    private static string Domains(HostSlot slot, List<SpreadCount> coarse) => coarse.Count switch
    {
        0 => "",
        1 => slot.Host.Label(coarse[0].TopologyKey) ?? "\n",
        _ => string.Join('\n', coarse.Select(spread => slot.Host.Label(spread.TopologyKey) ?? "\n")),
    };
}
