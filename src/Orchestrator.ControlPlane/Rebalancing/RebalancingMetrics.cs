using Prometheus;

namespace Orchestrator.ControlPlane.Rebalancing;

internal static class RebalancingMetrics
{
    // By namespace, not by app: a counter of an app that is gone would have to be forgotten, and its count with it.
    private static readonly Counter Moves = Metrics.CreateCounter(
        "orchestrator_rebalancing_moves_total",
        "Replicas that were to be moved for the sake of evenness, by result: moved, stopped (the replica stays, since something came in between).",
        "namespace", "result");

    public static void Moved(string @namespace, int replicas) => Add(@namespace, "moved", replicas);

    public static void Stopped(string @namespace, int replicas) => Add(@namespace, "stopped", replicas);

    private static void Add(string @namespace, string result, int replicas)
    {
        if (replicas > 0)
        {
            Moves.WithLabels(@namespace, result).Inc(replicas);
        }
    }
}
