using System.Collections.Concurrent;
using System.Collections.Immutable;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>
/// The moves under way, by app. Kept in memory alone: after a restart of the control plane the plan finds one replica too many where a move
/// was under way, and the rule for that takes it from the host that has most, or the one that does not serve.
/// </summary>
internal sealed class Moves(IEventRecorder events, TimeProvider time)
{
    /// <summary>After moves that came to nothing their app is left alone: this long at first, twice as long each time after.</summary>
    public static readonly TimeSpan FirstHold = TimeSpan.FromMinutes(5);

    public static readonly TimeSpan LongestHold = TimeSpan.FromHours(1);

    /// <summary>
    /// Moves under way at once, over all apps. Few enough that the pulls and starts they cost are not felt on a host that has joined, enough
    /// to fill one within a minute.
    /// </summary>
    public const int MostAtOnce = 10;

    private readonly ConcurrentDictionary<ObjectKey, AppMoves> _byApp = new();
    private readonly ConcurrentDictionary<ObjectKey, (DateTimeOffset Until, TimeSpan Length)> _held = new();
    private volatile ImmutableHashSet<string> _uids = [];

    /// <summary>Moves of an app have begun: it is to be reconciled.</summary>
    public Action<ObjectKey>? Begun { get; set; }

    /// <summary>Moves have ended, in whatever way: others may begin.</summary>
    public Action? Ended { get; set; }

    /// <summary>Uids of the Replicas that are to be moved.</summary>
    public IReadOnlySet<string> Uids => _uids;

    /// <summary>How many are under way.</summary>
    public int Count => _byApp.Values.Sum(moves => moves.All.Count);

    /// <summary>How many more may begin.</summary>
    public int Room => _byApp.Values.Any(moves => moves.Alone) ? 0 : Math.Max(0, MostAtOnce - Count);

    /// <summary>Whether further moves of the app may begin.</summary>
    public bool MayBegin(ObjectKey app) => !_byApp.ContainsKey(app) && !(_held.TryGetValue(app, out var held) && time.GetUtcNow() < held.Until);

    public void Begin(WebApp app, AppMoves moves)
    {
        var key = ObjectKey.Of(app);
        if (!_byApp.TryAdd(key, moves))
        {
            throw new InvalidOperationException($"moves of {key} are under way");
        }

        NameUids();
        foreach (var move in moves.All)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.Rebalancing, move.Describe());
        }

        Begun?.Invoke(key);
    }

    /// <summary>
    /// The app's live replicas, those that are to be moved outdated; all as they were where no move is under way any more, or must not
    /// go on.
    /// </summary>
    public List<ReplicaView> Mark(
        WebApp app, RolloutTarget target, List<ReplicaView> live, IReadOnlyCollection<ReplicaView> lost, DateTimeOffset now)
    {
        var key = ObjectKey.Of(app);
        if (!_byApp.TryGetValue(key, out var moves))
        {
            return live;
        }

        var remaining = moves.Remaining(live);
        if (remaining.Count == 0)
        {
            // Those that an outage has taken away have not moved.
            End(key, moved: moves.All.Count(move => !lost.Any(view => view.Replica.Metadata.Uid == move.Uid)), moves.All.Count);
            _held.TryRemove(key, out _);
            return live;
        }

        if (moves.Objection(app, target, live, lost, now) is { } objection)
        {
            var names = string.Join(", ", remaining.Select(view => view.Replica.Metadata.Name));
            events.Record(app, EventTypes.Normal, WebAppReasons.RebalancingStopped, $"{names} {(remaining.Count == 1 ? "stays" : "stay")}: {objection}");
            End(key, moves.All.Count - remaining.Count, moves.All.Count);
            var length = _held.TryGetValue(key, out var held) ? held.Length * 2 : FirstHold;
            length = length < LongestHold ? length : LongestHold;
            _held[key] = (now + length, length);
            return live;
        }

        var left = moves.BegunAt + app.Spec.ProgressDeadline - now;
        return live.ConvertAll(view => remaining.Contains(view) ? view.ToBeMoved(left) : view);
    }

    /// <summary>The app is gone.</summary>
    public void Forget(ObjectKey app)
    {
        _held.TryRemove(app, out _);
        if (_byApp.TryGetValue(app, out var moves))
        {
            End(app, moved: 0, moves.All.Count);
        }
    }

    public void Clear()
    {
        _byApp.Clear();
        _held.Clear();
        NameUids();
    }

    private void End(ObjectKey app, int moved, int of)
    {
        if (_byApp.TryRemove(app, out _))
        {
            NameUids();
            RebalancingMetrics.Moved(app.Namespace!, moved);
            RebalancingMetrics.Stopped(app.Namespace!, of - moved);
            Ended?.Invoke();
        }
    }

    private void NameUids() => _uids = [.. _byApp.Values.SelectMany(moves => moves.All).Select(move => move.Uid)];
}
