using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>What a round decided for one Replica: a host and a port, or why not.</summary>
internal abstract record Decision(Replica Replica);

internal sealed record Placed(Replica Replica, string Host, int Port) : Decision(Replica);

internal sealed record Unfit(Replica Replica, string Message) : Decision(Replica);

/// <summary>All that a round decides by, as it was at one moment.</summary>
/// <param name="Bound">Replicas with a host, those whose binding is still being written included.</param>
/// <param name="Refused">Ports that engines have refused lately.</param>
/// <param name="AppOf">The WebApp of a Replica; null when there is none.</param>
internal sealed record RoundInput(
    IEnumerable<HostSnapshot> Hosts,
    IEnumerable<(Replica Replica, string Host, int? Port)> Bound,
    IEnumerable<(string Host, int Port)> Refused,
    Func<ObjectKey, WebApp?> AppOf);

/// <summary>
/// Places the waiting Replicas, one after the other, each placement counting for the next. Pure but for the port cursors, and
/// always the same for the same input.
/// </summary>
internal sealed class PlacementRound
{
    private static readonly Placement NoWishes = new();

    private readonly Dictionary<string, HostSlot> _slots = new(StringComparer.Ordinal);
    private readonly List<HostSlot> _inOrder;
    private readonly Dictionary<(string App, string Revision), PlacementGroup> _groups = [];
    private readonly Dictionary<string, int> _nextPort;
    private readonly RoundInput _input;

    /// <param name="nextPort">Where each host's search for a free port starts; the owner keeps it from round to round.</param>
    public PlacementRound(RoundInput input, Dictionary<string, int> nextPort)
    {
        _input = input;
        _nextPort = nextPort;
        foreach (var host in input.Hosts)
        {
            _slots.Add(host.Name, new HostSlot(host));
        }

        foreach (var (replica, host, port) in input.Bound)
        {
            if (_slots.TryGetValue(host, out var slot))
            {
                slot.Add(AppKeyOf(replica), replica.Spec.Revision, Needs.Of(replica.Spec.Template), replica.Metadata.DeletionTimestamp is not null);
                slot.TakePort(port ?? 0);
            }
        }

        foreach (var (host, port) in input.Refused)
        {
            _slots.GetValueOrDefault(host)?.TakePort(port);
        }

        _inOrder = [.. _slots.Values.OrderBy(slot => slot.Host.Name, StringComparer.Ordinal)];
    }

    /// <summary>The oldest first, so that nobody waits for ever behind newcomers; one that fits nowhere holds up no other.</summary>
    public IEnumerable<Decision> Place(IEnumerable<Replica> waiting) => waiting
        .OrderBy(replica => replica.Metadata.CreationTimestamp ?? DateTime.MaxValue)
        .ThenBy(replica => replica.Metadata.NamespaceProperty, StringComparer.Ordinal)
        .ThenBy(replica => replica.Metadata.Name, StringComparer.Ordinal)
        .Select(PlaceOne);

    private Decision PlaceOne(Replica replica)
    {
        var key = (App: AppKeyOf(replica), replica.Spec.Revision);
        if (!_groups.TryGetValue(key, out var group))
        {
            group = MakeGroup(replica, key.App);
            _groups.Add(key, group);
        }

        if (group.Unfit is null && BestFor(group, replica) is { } best)
        {
            Take(group, best);
            return new Placed(replica, best.Host.Name, GivePort(best));
        }

        group.Unfit ??= FilterPipeline.Explain(group, _inOrder);
        return new Unfit(replica, group.Unfit);
    }

    private PlacementGroup MakeGroup(Replica replica, string appKey)
    {
        var app = _input.AppOf(new ObjectKey(replica.Metadata.NamespaceProperty, replica.Spec.AppName));
        var group = new PlacementGroup(appKey, replica.Spec.Revision, Needs.Of(replica.Spec.Template), app?.Spec.Placement ?? NoWishes);
        if (app is null)
        {
            group.Unfit = $"WebApp {replica.Spec.AppName} does not exist";
            return group;
        }

        group.Candidates.AddRange(_inOrder.Where(slot => FilterPipeline.IsCandidate(group, slot)));
        group.Spread.AddRange((group.Placement.Spread ?? []).Select(constraint => new SpreadCount(constraint, appKey, group.Candidates)));
        return group;
    }

    private static HostSlot? BestFor(PlacementGroup group, Replica replica)
    {
        var hash = HostScore.HashOf(replica.Metadata.Name);
        HostSlot? best = null;
        HostScore bestScore = default;
        foreach (var slot in group.Candidates)
        {
            if (!FilterPipeline.Fits(group, slot))
            {
                continue;
            }

            var score = HostScore.Of(group, slot, hash);
            if (best is null || score.CompareTo(bestScore) < 0)
            {
                (best, bestScore) = (slot, score);
            }
        }

        return best;
    }

    private void Take(PlacementGroup group, HostSlot slot)
    {
        slot.Add(group.App, group.Revision, group.Needs, leaving: false);

        // Another revision of the app counts the same replicas over its own candidates.
        foreach (var sibling in _groups.Values.Where(other => other.Spread.Count > 0 && other.App == group.App))
        {
            sibling.Spread.ForEach(spread => spread.Place(slot));
        }
    }

    private int GivePort(HostSlot slot)
    {
        var port = slot.GivePort(_nextPort.GetValueOrDefault(slot.Host.Name, slot.FirstStart));
        _nextPort[slot.Host.Name] = port + 1 > slot.Host.LastPort ? slot.Host.FirstPort : port + 1;
        return port;
    }

    private static string AppKeyOf(Replica replica) => ReplicaIndexes.AppKey(replica.Metadata.NamespaceProperty, replica.Spec.AppName);
}
