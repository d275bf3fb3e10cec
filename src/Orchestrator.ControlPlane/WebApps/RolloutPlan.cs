namespace Orchestrator.ControlPlane.WebApps;

/// <summary>One replica that exists and is not being deleted, as planning sees it.</summary>
/// <param name="Outdated">Of another revision than is wanted, or on a host that is to be left: replaced, the new one first.</param>
/// <param name="Broken">Cannot become ready where it is (its port is taken, its host is gone): replaced at once.</param>
/// <param name="HostName">Null while it is not bound.</param>
internal sealed record ReplicaState(string Name, bool Outdated, bool Broken, bool Ready, string? HostName, DateTime CreatedAt);

/// <summary>
/// The next step toward the wanted replicas, from what there is: pure, so that it can be tested in all situations. Steps are
/// Kubernetes' rolling update with its defaults: at most 25 % (rounded up, so at least one) more replicas than wanted, and of
/// those that are wanted at most 25 % (rounded down) missing by our own doing.
/// </summary>
/// <param name="Create">How many replicas of the wanted revision to create.</param>
/// <param name="Delete">Names of the replicas to delete.</param>
internal sealed record RolloutPlan(int Create, IReadOnlyList<string> Delete)
{
    /// <summary>Kubernetes' default for both maxSurge and maxUnavailable.</summary>
    private const double RollingShare = 0.25;

    public static int MaxSurge(int desired) => Math.Max(1, (int)Math.Ceiling(desired * RollingShare));

    public static int MaxUnavailable(int desired) => (int)Math.Floor(desired * RollingShare);

    public static RolloutPlan Make(int desired, IReadOnlyCollection<ReplicaState> live)
    {
        var leaving = InOrderOfLeaving(live);
        var delete = leaving.Where(replica => replica.Broken).ToList();
        var updated = leaving.Where(replica => replica is { Broken: false, Outdated: false }).ToList();
        var outdated = leaving.Where(replica => replica is { Broken: false, Outdated: true }).ToList();

        var surplus = Math.Max(0, updated.Count - desired);
        delete.AddRange(updated.Take(surplus));
        updated.RemoveRange(0, surplus);

        var room = desired + (outdated.Count > 0 ? MaxSurge(desired) : 0) - updated.Count - outdated.Count;
        var create = Math.Clamp(room, 0, desired - updated.Count);

        delete.AddRange(OutdatedToDelete(desired, updated, outdated));
        return new RolloutPlan(create, [.. delete.Select(replica => replica.Name)]);
    }

    /// <summary>
    /// Outdated replicas that may go now. Those that are not ready go first, but a new one that is not ready holds one of them
    /// back: when all are unready it is not known which revision is at fault.
    /// </summary>
    private static IEnumerable<ReplicaState> OutdatedToDelete(int desired, List<ReplicaState> updated, List<ReplicaState> outdated)
    {
        var least = desired - MaxUnavailable(desired);
        var unreadyMayGo = updated.Count(replica => replica.Ready) + outdated.Count - least;
        var readyMayGo = updated.Concat(outdated).Count(replica => replica.Ready) - least;
        return outdated.Where(replica => !replica.Ready).Take(Math.Max(0, unreadyMayGo))
            .Concat(outdated.Where(replica => replica.Ready).Take(Math.Max(0, readyMayGo)));
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
