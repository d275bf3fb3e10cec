using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime;

namespace Orchestrator.ControlPlane.Rebalancing;

/// <summary>An app of whose replicas some may be moved: all serve, none comes or goes, and nothing is rolled out.</summary>
/// <param name="ByHost">Its replicas.</param>
internal sealed record SettledApp(WebApp App, IReadOnlyDictionary<string, List<Replica>> ByHost)
{
    public ObjectKey Key { get; } = ObjectKey.Of(App);

    public int Most { get; } = ByHost.Values.Max(replicas => replicas.Count);

    public string Revision { get; } = App.Status!.CurrentRevision!;

    /// <summary>How many replicas may be moved at a time.</summary>
    public int Limit { get; } = LimitOf(App);

    /// <summary>
    /// Where its replicas go depends on what other apps have where: moves of others meanwhile could send them elsewhere than was planned.
    /// </summary>
    public bool MovesAlone { get; } = App.Spec.Placement is { Affinity.AwayFromApps: not null } or { Strategy: PlacementStrategies.LeastAllocated };

    public IEnumerable<Replica> Replicas => ByHost.Values.SelectMany(static replicas => replicas);

    /// <param name="replicas">All of the app, those that are being deleted included.</param>
    /// <returns>Null when it is not settled, or is not to be touched.</returns>
    public static SettledApp? Find(WebApp app, IReadOnlyCollection<Replica> replicas, Func<string, DockerHost?> hostOf)
    {
        if (!IsWanted(app) || !IsCalm(app) || replicas.Count != app.DesiredReplicas || replicas.Count < Evenness.LeastDifference)
        {
            return null;
        }

        var byHost = new Dictionary<string, List<Replica>>(StringComparer.Ordinal);
        foreach (var replica in replicas)
        {
            if (replica is not { Metadata.DeletionTimestamp: null, Spec.HostName: { } host, Status.Ready: true }
                || replica.Spec.Revision != app.Status!.CurrentRevision
                || replica.GetController()?.Uid != app.Metadata.Uid)
            {
                return null;
            }

            if (!byHost.TryGetValue(host, out var there))
            {
                if (hostOf(host) is not { Metadata.DeletionTimestamp: null } carrier || !HostHealth.IsReady(carrier) || carrier.Spec.Drain == true)
                {
                    return null;
                }

                byHost.Add(host, there = []);
            }

            there.Add(replica);
        }

        return new(app, byHost);
    }

    /// <summary>An app that fills hosts up is not to lie evenly.</summary>
    private static bool IsWanted(WebApp app) =>
        (app.Spec.Placement?.Rebalance ?? true)
        && app.Spec.Placement?.Strategy != PlacementStrategies.MostAllocated
        && app.Spec.Paused != true
        && app.Metadata.DeletionTimestamp is null
        && LimitOf(app) > 0;

    private static bool IsCalm(WebApp app) =>
        app.Status is { Rollout: null, CurrentRevision: not null } status
        && status.ObservedGeneration == app.Metadata.Generation
        && status.Replicas == app.DesiredReplicas
        && status.AvailableReplicas == app.DesiredReplicas;

    /// <summary>
    /// A tenth of the app, at least one, at most five, and no more than its limits would let go at once: nothing is urgent here, and each
    /// move costs connections that are kept open and caches that are warm. One alone where the emptiest host is taken: what leaves first makes
    /// its host emptier for what comes next.
    /// </summary>
    private static int LimitOf(WebApp app)
    {
        var limits = RolloutLimits.Of(app);
        var most = app.Spec.Placement?.Strategy == PlacementStrategies.LeastAllocated ? 1 : 5;
        return Math.Min(Math.Clamp(limits.Desired / 10, 1, most), limits.MaxSurge > 0 ? limits.MaxSurge : limits.MaxMissingForMoves);
    }
}
