using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>What a round decided for one Replica: a host and a port, or why not.</summary>
internal abstract record Decision(Replica Replica);

internal sealed record Placed(Replica Replica, string Host, int Port) : Decision(Replica);

/// <param name="MakesRoom">Where it will be placed once what is in the way has been stopped; null when that would not help.</param>
internal sealed record Unfit(Replica Replica, string Message, RoomMade? MakesRoom = null) : Decision(Replica);

/// <summary>What is stopped for a replica.</summary>
/// <param name="Priority">The replica's.</param>
/// <param name="Victims">Of lower priority; none when what is being stopped already will do.</param>
internal sealed record RoomMade(string Host, int Priority, IReadOnlyList<Replica> Victims);

/// <summary>A host as a Replica finds it.</summary>
/// <param name="Reasons">All that rules it out, in the words of each filter.</param>
internal sealed record HostVerdict(string Host, HostScore Score, IReadOnlyList<string> Reasons)
{
    public bool Fits => Reasons.Count == 0;
}

/// <summary>A bound Replica that would be better off on another host.</summary>
/// <param name="FromCount">Replicas of the app on its host, itself included.</param>
/// <param name="ToCount">Those on the other.</param>
/// <param name="Group">Made without it.</param>
internal sealed record Relocation(Replica Replica, HostSlot From, HostSlot To, int FromCount, int ToCount, PlacementGroup Group);

/// <summary>All that a round decides by, as it was at one moment.</summary>
/// <param name="Bound">Replicas with a host, those whose binding is still being written included.</param>
/// <param name="Refused">Ports that engines have refused lately.</param>
/// <param name="AppOf">The WebApp of a Replica; null when there is none.</param>
internal sealed record RoundInput(
    IEnumerable<HostSnapshot> Hosts,
    IEnumerable<(Replica Replica, string Host, int? Port)> Bound,
    IEnumerable<(string Host, int Port)> Refused,
    Func<ObjectKey, WebApp?> AppOf)
{
    /// <summary>By the wall clock: hosts that have failed again and again are held back until a time of it.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>Uids of Replicas that are known to be on their way out although they do not say so yet.</summary>
    public IReadOnlySet<string> Leaving { get; init; } = new HashSet<string>();

    /// <summary>
    /// Uids of Replicas that go once another one serves in their place: they hold their room, but no longer their place among their app's.
    /// </summary>
    public IReadOnlySet<string> Moving { get; init; } = new HashSet<string>();

    /// <summary>Replicas that a host's room has been made for, while that is being written: they are not decided for, and nobody else gets it.</summary>
    public IReadOnlyCollection<(Replica Replica, string Host)> Promised { get; init; } = [];

    public bool IsLeaving(Replica replica) => replica.Metadata.DeletionTimestamp is not null || Leaving.Contains(replica.Metadata.Uid);
}

/// <summary>
/// Places the waiting Replicas, one after the other, each placement counting for the next. Pure but for the port cursors, and
/// always the same for the same input.
/// </summary>
internal sealed class PlacementRound
{
    private readonly Dictionary<string, int> _nextPort;
    private readonly HostFinder _finder;
    private readonly RoundInput _input;
    private readonly Dictionary<string, HostSlot> _slots = new(StringComparer.Ordinal);
    private readonly List<HostSlot> _inOrder = [];
    private readonly KnownApps _apps;
    private readonly Dictionary<int, PlacementGroup> _groups = [];
    private readonly HashSet<int> _appsThatMove = [];
    private Dictionary<int, int> _waiting = [];
    private PreemptionFinder? _preemptions;

    /// <param name="nextPort">Where each host's search for a free port starts; the owner keeps it from round to round.</param>
    public PlacementRound(RoundInput input, Dictionary<string, int> nextPort, HostFinder? finder = null)
    {
        _input = input;
        _nextPort = nextPort;
        _finder = finder ?? new HostFinder();
        _apps = new KnownApps(input.AppOf);
        foreach (var host in input.Hosts.OrderBy(host => host.Name, StringComparer.Ordinal))
        {
            var slot = new HostSlot(host, _inOrder.Count);
            _inOrder.Add(slot);
            _slots.Add(host.Name, slot);
        }

        // Where nobody else is ready there is nobody better to wait for.
        var flapping = _inOrder.FindAll(slot => slot.Host.IsReady && slot.Host.HeldBackUntil > input.Now.UtcDateTime);
        if (flapping.Count > 0 && _inOrder.Count(slot => slot.Host.IsReady) > flapping.Count)
        {
            flapping.ForEach(slot => slot.IsHeldBack = true);
        }

        foreach (var (replica, host, port) in input.Bound)
        {
            if (_slots.TryGetValue(host, out var slot))
            {
                var (app, revisionId) = _apps.Of(replica);
                var moves = input.Moving.Contains(replica.Metadata.Uid);
                slot.Add(app.Id, revisionId, Needs.Of(replica.Spec.Template), moves || input.IsLeaving(replica));
                slot.TakePort(port ?? 0);
                if (moves)
                {
                    _appsThatMove.Add(app.Id);
                }
            }
        }

        foreach (var (replica, host) in input.Promised)
        {
            if (_slots.TryGetValue(host, out var slot))
            {
                var (app, revisionId) = _apps.Of(replica);
                slot.Add(app.Id, revisionId, Needs.Of(replica.Spec.Template), leaving: false);
                slot.PromisePort();
            }
        }

        foreach (var (host, port) in input.Refused)
        {
            _slots.GetValueOrDefault(host)?.TakePort(port);
        }
    }

    /// <summary>Whether the decisions might have been others if more replicas were ready.</summary>
    public bool DependsOnReadiness => _preemptions?.WasInVain ?? false;

    /// <summary>
    /// The most important first, and of those the oldest, so that nobody waits for ever behind newcomers; one that fits nowhere holds up
    /// no other. Once in a round.
    /// </summary>
    public IReadOnlyList<Decision> Place(IEnumerable<Replica> waiting)
    {
        // Who keeps away from whom is found out when a group is made: all apps must be known by then.
        var inOrder = waiting
            .OrderByDescending(replica => _apps.Of(replica).App.Priority)
            .ThenBy(replica => replica.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(replica => replica.Metadata.NamespaceProperty, StringComparer.Ordinal)
            .ThenBy(replica => replica.Metadata.Name, StringComparer.Ordinal)
            .ToList();
        _waiting = inOrder.CountBy(replica => _apps.Of(replica).RevisionId).ToDictionary();
        return [.. inOrder.Select(PlaceOne)];
    }

    /// <summary>What each host is to a Replica that would be placed next: those that fit, best first, then the others by name.</summary>
    public IReadOnlyList<HostVerdict> Judge(Replica replica)
    {
        var group = GroupOf(replica);
        return
        [
            .. _inOrder
                .Select(slot => new HostVerdict(slot.Host.Name, HostScore.Of(group, slot), FilterPipeline.Reasons(group, slot)))
                .OrderBy(verdict => verdict.Fits ? 0 : 1)
                .ThenBy(verdict => verdict.Fits ? verdict.Score : default),
        ];
    }

    /// <summary>
    /// Where a bound Replica would go if it were placed now and were not there: whether its room is still taken when its successor is
    /// placed, or free, that one then goes to no worse host. A round that looks for this places nothing.
    /// </summary>
    /// <returns>Null when no other host would be better than its own.</returns>
    public Relocation? FindBetter(Replica replica)
    {
        var (app, revisionId) = _apps.Of(replica);
        if (app.App is null || !_slots.TryGetValue(replica.Spec.HostName!, out var from))
        {
            return null;
        }

        var (count, needs) = (from.ReplicasOfApp(app.Id), Needs.Of(replica.Spec.Template));
        from.Remove(app.Id, revisionId, needs);
        try
        {
            // Not kept: what it counts is without this Replica.
            var group = MakeGroup(replica, app, revisionId);
            return _finder.Find(group) is { } to && to != from && HostScore.Of(group, to).CompareTo(HostScore.Of(group, from)) < 0
                ? new(replica, from, to, count, to.ReplicasOfApp(app.Id), group)
                : null;
        }
        finally
        {
            from.Add(app.Id, revisionId, needs, leaving: false);
        }
    }

    /// <summary>What is found next is found as if the Replica were on its way.</summary>
    public void Relocate(Relocation relocation)
    {
        relocation.From.Leave(relocation.Group.AppId, relocation.Group.RevisionId);
        Take(relocation.Group, relocation.To);
    }

    private PlacementGroup GroupOf(Replica replica)
    {
        var (app, revisionId) = _apps.Of(replica);
        if (!_groups.TryGetValue(revisionId, out var group))
        {
            group = MakeGroup(replica, app, revisionId);
            _groups.Add(revisionId, group);
        }

        return group;
    }

    private Decision PlaceOne(Replica replica)
    {
        var group = GroupOf(replica);
        if (group.Unfit is null && _finder.Find(group) is { } best)
        {
            Take(group, best);
            return new Placed(replica, best.Host.Name, GivePort(best));
        }

        group.Unfit ??= FilterPipeline.Explain(group, _inOrder);
        return MakeRoom(replica, group, group.Unfit);
    }

    private Unfit MakeRoom(Replica replica, PlacementGroup group, string unfit)
    {
        // That an app lies more evenly is not worth stopping others for.
        if (group.App.App is null || group.NothingMakesRoom || _appsThatMove.Contains(group.AppId))
        {
            return new Unfit(replica, unfit);
        }

        _preemptions ??= new PreemptionFinder(_inOrder, BoundWithTheirHosts());
        if (_preemptions.Find(group) is not { } room)
        {
            group.NothingMakesRoom = true;
            return new Unfit(replica, unfit);
        }

        // As if it were there already: nothing else is to take the room meanwhile.
        Take(group, room.Slot);
        room.Slot.PromisePort();
        var made = new RoomMade(room.Slot.Host.Name, group.App.Priority, room.Victims);
        return new Unfit(replica, $"{unfit}; {Describe(made)}", made);
    }

    private static string Describe(RoomMade made)
    {
        const int Named = 3;
        var names = made.Victims.Select(victim => victim.Metadata.Name).Order(StringComparer.Ordinal).ToList();
        return names.Count == 0
            ? $"waits for what is being stopped on {made.Host}"
            : $"takes the place of {string.Join(", ", names.Take(Named))}{(names.Count > Named ? $" and {names.Count - Named} more" : "")} on {made.Host}";
    }

    /// <summary>Those that can make room: one that is still to be created cannot be stopped yet.</summary>
    private IEnumerable<(Replica, KnownApp, HostSlot, bool IsLeaving)> BoundWithTheirHosts() => _input.Bound
        .Where(bound => _slots.ContainsKey(bound.Host) && !Newcomers.Contain(bound.Replica))
        .Select(bound => (bound.Replica, _apps.Of(bound.Replica).App, _slots[bound.Host], _input.IsLeaving(bound.Replica)));

    private PlacementGroup MakeGroup(Replica replica, KnownApp app, int revisionId)
    {
        var hash = HostScore.HashOf($"{replica.Metadata.NamespaceProperty}/{replica.Spec.AppName}/{replica.Spec.Revision}");
        var group = new PlacementGroup(app, revisionId, hash, Needs.Of(replica.Spec.Template))
        {
            Waiting = _waiting.GetValueOrDefault(revisionId, 1),
        };
        if (app.App is null)
        {
            group.Unfit = $"WebApp {replica.Spec.AppName} does not exist";
            return group;
        }

        group.Candidates = _finder.CandidatesFor(group, _inOrder);
        group.Spread.AddRange((group.Placement.Spread ?? []).Select(constraint => new SpreadCount(constraint, revisionId, group.Candidates)));
        group.Distances.AddRange(_apps.DistancesOf(group, _inOrder));
        if (group.Placement.Affinity?.Hosts?.Preferred is { Count: > 0 } preferred)
        {
            group.Unmet = [.. _inOrder.Select(slot => preferred.Where(one => !Expressions.Matches(one.Preference, slot.Host)).Sum(one => one.Weight))];
        }

        return group;
    }

    private void Take(PlacementGroup group, HostSlot slot)
    {
        slot.Add(group.AppId, group.RevisionId, group.Needs, leaving: false);
        group.Spread.ForEach(spread => spread.Place(slot));
        _apps.Place(group, slot);
    }

    private int GivePort(HostSlot slot)
    {
        var port = slot.GivePort(_nextPort.TryGetValue(slot.Host.Name, out var next) ? next : slot.FirstStart);
        _nextPort[slot.Host.Name] = port + 1 > slot.Host.LastPort ? slot.Host.FirstPort : port + 1;
        return port;
    }
}
