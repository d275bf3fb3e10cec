using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>One replica that exists and is not being deleted, as planning sees it.</summary>
/// <param name="Outdated">Of another revision than is wanted, or on a host that is to be left: replaced, the new one first.</param>
/// <param name="Broken">Cannot become ready where it is (its port is taken, its host is gone): replaced at once.</param>
/// <param name="HostName">Null while it is not bound.</param>
internal sealed record ReplicaState(string Name, bool Outdated, bool Broken, bool Ready, string? HostName, DateTime CreatedAt)
{
    /// <summary>Ready for long enough to count on.</summary>
    public bool Available { get; init; }

    /// <summary>Outdated for its revision, not for its host.</summary>
    public bool IsOfOtherRevision { get; init; }

    /// <summary>Of the revision that is tried beside the one that is wanted.</summary>
    public bool IsCanary { get; init; }
}

/// <summary>Within what a plan has to stay.</summary>
/// <param name="MaxSurge">Replicas beyond those wanted, while some are replaced.</param>
/// <param name="MaxUnavailable">Of those wanted, how many may be missing by our own doing.</param>
internal sealed record RolloutLimits(int Desired, int MaxSurge, int MaxUnavailable)
{
    /// <summary>Two revisions may not run at once.</summary>
    public bool Recreate { get; init; }

    /// <summary>Replicas of another revision are still being stopped.</summary>
    public bool OthersStop { get; init; }

    /// <summary>Replicas beyond those wanted that stay although nothing is replaced: a rollout is held in its middle.</summary>
    public int Held { get; init; }

    /// <summary>Replicas of the revision that is tried, beside those wanted.</summary>
    public int Canaries { get; init; }

    /// <summary>Replicas that may be back in a moment: none is made in their place.</summary>
    public int Returning { get; init; }

    /// <summary>How many of those wanted may be missing by what could stay: <see cref="DisruptionLimits"/>.</summary>
    public int MaxDisrupted { get; init; } = int.MaxValue;

    /// <summary>
    /// How many of those wanted may be missing while replicas leave a host. It brings nothing new that would be worth it, so where the
    /// surge lets the new one start first, none.
    /// </summary>
    public int MaxMissingForMoves => MaxSurge > 0 ? 0 : Math.Min(MaxUnavailable, MaxDisrupted);

    public static RolloutLimits Of(WebApp app)
    {
        var (surge, unavailable) = RollingUpdateLimits.Of(app.Spec.Strategy?.Rolling, app.DesiredReplicas);
        return new(app.DesiredReplicas, surge, unavailable)
        {
            Recreate = app.Spec.Strategy?.Type == RolloutStrategy.Recreate,
            MaxDisrupted = DisruptionLimits.MaxUnavailable(app),
        };
    }
}

/// <summary>
/// The next step toward the wanted replicas, from what there is: pure, so that it can be tested in all situations. Steps are
/// those of Kubernetes' rolling update, or of Recreate: all old ones go before a new one starts.
/// </summary>
/// <param name="Create">How many replicas of the wanted revision to create.</param>
/// <param name="Delete">Names of the replicas to delete.</param>
internal sealed record RolloutPlan(int Create, IReadOnlyList<string> Delete)
{
    /// <summary>How many replicas to create of the revision that is tried.</summary>
    public int CreateCanaries { get; private init; }

    public static RolloutPlan Make(RolloutLimits limits, IReadOnlyCollection<ReplicaState> live)
    {
        if (limits.Canaries == 0 && !live.Any(replica => replica.IsCanary))
        {
            return MakeOne(limits, live);
        }

        // Two sets that have nothing to do with each other: the stable revision is whole for as long as another is tried.
        var stable = MakeOne(limits, [.. live.Where(replica => !replica.IsCanary)]);
        var canaries = MakeOne(limits with { Desired = limits.Canaries, Returning = 0 }, [.. live.Where(replica => replica.IsCanary)]);
        return new RolloutPlan(stable.Create, [.. stable.Delete, .. canaries.Delete]) { CreateCanaries = canaries.Create };
    }

    /// <summary>
    /// Also with what is to be deleted of the replicas that an outage has taken away. They are kept, since they may be back and serve;
    /// but what is to be replaced anyway need not come back, nor more than are wanted.
    /// </summary>
    /// <param name="lost">Those that have only just come back included.</param>
    public RolloutPlan WithLost(int desired, IReadOnlyCollection<ReplicaState> lost)
    {
        var kept = lost.Where(replica => replica is { IsOfOtherRevision: false, Broken: false }).OrderBy(replica => replica.CreatedAt).Take(desired).ToHashSet();
        return this with { Delete = [.. Delete, .. lost.Where(replica => !kept.Contains(replica)).Select(replica => replica.Name)] };
    }

    private static RolloutPlan MakeOne(RolloutLimits limits, IReadOnlyCollection<ReplicaState> live)
    {
        var desired = limits.Desired;
        var leaving = InOrderOfLeaving(live);
        var delete = leaving.Where(replica => replica.Broken).ToList();
        var updated = leaving.Where(replica => replica is { Broken: false, Outdated: false }).ToList();
        var outdated = leaving.Where(replica => replica is { Broken: false, Outdated: true }).ToList();

        var surplus = Math.Max(0, updated.Count - desired - limits.Held);
        delete.AddRange(updated.Take(surplus));
        updated.RemoveRange(0, surplus);

        if (limits.Recreate && (limits.OthersStop || outdated.Exists(replica => replica.IsOfOtherRevision)))
        {
            delete.AddRange(outdated.Where(replica => replica.IsOfOtherRevision));
            return new RolloutPlan(0, [.. delete.Select(replica => replica.Name)]);
        }

        var room = desired + (outdated.Count > 0 ? limits.MaxSurge : 0) - updated.Count - outdated.Count - limits.Returning;
        var create = Math.Clamp(room, 0, Math.Max(0, desired - updated.Count));

        delete.AddRange(OutdatedToDelete(limits, updated, outdated));
        return new RolloutPlan(create, [.. delete.Select(replica => replica.Name)]);
    }

    /// <summary>
    /// Outdated replicas that may go now. Those that are not ready go first, but a new one that is not ready holds one of them
    /// back: when all are unready it is not known which revision is at fault.
    /// </summary>
    private static IEnumerable<ReplicaState> OutdatedToDelete(RolloutLimits limits, List<ReplicaState> updated, List<ReplicaState> outdated)
    {
        var available = updated.Count(replica => replica.Available);
        var (existing, serving) = (available + outdated.Count, available + outdated.Count(replica => replica.Ready));
        foreach (var replica in outdated.OrderBy(replica => replica.Ready))
        {
            var least = limits.Desired - (replica.IsOfOtherRevision ? limits.MaxUnavailable : limits.MaxMissingForMoves);
            ref var left = ref replica.Ready ? ref serving : ref existing;
            if (left > least)
            {
                left--;
                yield return replica;
            }
        }
    }

    /// <summary>
    /// Who leaves first when there are too many, after Kubernetes' ReplicaSet: a replica without a host costs nothing; one that is
    /// not ready serves nobody; then from the host that carries most of the app, so that the rest is spread evenly; then the
    /// youngest, since an old one has proved itself and holds warm caches and long connections.
    /// </summary>
    private static List<ReplicaState> InOrderOfLeaving(IReadOnlyCollection<ReplicaState> replicas)
    {
        // The n-th replica that a host would keep has rank n: taking the highest ranks first levels the hosts.
        var ranked = replicas
            .GroupBy(replica => replica.HostName)
            .SelectMany(host => host
                .OrderBy(replica => replica.Broken)
                .ThenBy(replica => replica.Outdated)
                .ThenByDescending(replica => replica.Ready)
                .ThenBy(replica => replica.CreatedAt)
                .ThenBy(replica => replica.Name, StringComparer.Ordinal)
                .Select((replica, rank) => (Replica: replica, Rank: host.Key is null ? 0 : rank)));
        return [.. ranked
            .OrderBy(entry => entry.Replica.HostName is not null)
            .ThenBy(entry => entry.Replica.Ready)
            .ThenByDescending(entry => entry.Rank)
            .ThenByDescending(entry => entry.Replica.CreatedAt)
            .ThenBy(entry => entry.Replica.Name, StringComparer.Ordinal)
            .Select(entry => entry.Replica)];
    }
}
