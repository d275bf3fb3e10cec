using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>Moves of one app that were begun together, and what they were begun for.</summary>
/// <param name="Generation">The app's.</param>
/// <param name="Revision">That of all its replicas.</param>
/// <param name="Replicas">How many there were.</param>
/// <param name="Unevenness">Of them (<see cref="Evenness.Unevenness"/>).</param>
/// <param name="BegunAt">By the wall clock.</param>
internal sealed record AppMoves(
    long? Generation, string Revision, int Replicas, long Unevenness, DateTimeOffset BegunAt, IReadOnlyList<Move> All)
{
    /// <summary>Of moves that begin now.</summary>
    public static AppMoves Of(SettledApp app, IReadOnlyList<Move> moves, DateTimeOffset now)
    {
        var hosts = app.Replicas.Select(replica => replica.Spec.HostName!).ToList();
        return new(app.App.Metadata.Generation, app.Revision, hosts.Count, Evenness.Unevenness(hosts), now, moves) { Alone = app.MovesAlone };
    }

    /// <summary>No move of another app may begin meanwhile (<see cref="SettledApp.MovesAlone"/>).</summary>
    public bool Alone { get; init; }

    /// <summary>Those whose replica is still there.</summary>
    /// <param name="live">The app's replicas that are not being deleted.</param>
    public List<ReplicaView> Remaining(IEnumerable<ReplicaView> live) => [.. live.Where(view => All.Any(move => move.Uid == view.Replica.Metadata.Uid))];

    /// <summary>
    /// Why the moves that remain must not go on; null when they may. Asked in each reconcile before anything is done, by the same look that
    /// it acts on: a replica that was to be moved is only let go of where the others then lie more evenly than before.
    /// </summary>
    /// <param name="lost">Replicas that an outage has taken away, or that have only just come back.</param>
    public string? Objection(
        WebApp app, RolloutTarget target, IReadOnlyCollection<ReplicaView> live, IReadOnlyCollection<ReplicaView> lost, DateTimeOffset now)
    {
        var remaining = Remaining(live);
        var others = live.Except(remaining).ToList();
        if (app.Metadata.Generation != Generation || target.Run != Revision || target.Canary is not null || others.Exists(view => view.Replica.Spec.Revision != Revision))
        {
            return "the app was changed";
        }

        if (lost.Count > 0)
        {
            return "replicas went with a silent host";
        }

        if (others.Exists(view => view.Outdated))
        {
            return "a host has to be left";
        }

        if (others.Find(view => view.Replica.Spec.HostName is null && view.Replica.Status?.Reason == Binder.Unschedulable) is { } unfit)
        {
            return $"no host fits it any more: {unfit.Replica.Status!.Message}";
        }

        if (others.Find(view => view.FailsForGood) is { } failing)
        {
            return $"{failing.Replica.Metadata.Name} does not start on {failing.Replica.Spec.HostName}: {failing.Reason}: {failing.Message}";
        }

        return now - BegunAt >= app.Spec.ProgressDeadline ? $"no new replica was available in {(int)app.Spec.ProgressDeadline.TotalSeconds} s"
            : UnevennessWith(remaining, others) >= Unevenness ? "the scheduler found no place for it that is any better"
            : null;
    }

    /// <summary>
    /// What the replicas will be like when as many have left as others are in their place by now. Which ones leave first is not known:
    /// taken for the worst.
    /// </summary>
    /// <returns>0 while none is in place of another.</returns>
    private long UnevennessWith(List<ReplicaView> remaining, List<ReplicaView> others)
    {
        var hosts = others.Select(view => view.Replica.Spec.HostName).OfType<string>().ToList();
        var replaced = Math.Min(remaining.Count, hosts.Count + remaining.Count - Replicas);
        if (replaced <= 0)
        {
            return 0;
        }

        var staying = remaining.Select(view => view.Replica.Spec.HostName!).ToList();
        for (var stay = remaining.Count - replaced; stay > 0; stay--)
        {
            var fullest = staying.MaxBy(host => hosts.Count(other => other == host))!;
            staying.Remove(fullest);
            hosts.Add(fullest);
        }

        return Evenness.Unevenness(hosts);
    }
}
