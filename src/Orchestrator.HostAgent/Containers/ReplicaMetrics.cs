using Prometheus;

namespace Orchestrator.HostAgent.Containers;

internal static class ReplicaMetrics
{
    public static readonly Counter Restarts = Metrics.CreateCounter(
        "orchestrator_container_restarts_total",
        "Restarts of containers, by the engine or by the agent, by app.",
        "namespace",
        "app");

    public static readonly Counter OrphansRemoved = Metrics.CreateCounter(
        "orchestrator_orphan_containers_removed_total",
        "Containers of this installation that were removed because no Replica claims them, by host and reason: replica_gone, duplicate.",
        "host",
        "reason");

    /// <summary>The host is gone: so are its series.</summary>
    public static void ForgetHost(string host)
    {
        foreach (var labels in OrphansRemoved.GetAllLabelValues().Where(labels => labels[0] == host).ToList())
        {
            OrphansRemoved.RemoveLabelled(labels);
        }
    }

    /// <summary>The app is gone: so is its series.</summary>
    public static void Forget(string @namespace, string app) => Restarts.RemoveLabelled(@namespace, app);
}
