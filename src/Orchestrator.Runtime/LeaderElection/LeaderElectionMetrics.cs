using Prometheus;

namespace Orchestrator.Runtime.LeaderElection;

internal static class LeaderElectionMetrics
{
    /// <summary>client-go's metric, by its name.</summary>
    public static readonly Gauge Status = Metrics.CreateGauge(
        "leader_election_master_status", "Whether this process leads: 1 or 0, by lease.", "name");
}
