namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>
/// The host has fewer of the app's replicas than <c>placement.maxReplicasPerHost</c>. Counted by revision: else a rolling update
/// that starts the new replica first could never begin where every host is at its limit.
/// </summary>
internal sealed class MaxReplicasFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        group.Placement.MaxReplicasPerHost is not { } most || slot.ReplicasOfRevision(group.RevisionId) < most;

    public string Explain(PlacementGroup group, HostSlot slot) => $"at the limit of {group.Placement.MaxReplicasPerHost} replicas a host";
}

/// <summary>No spread constraint that says DoNotSchedule would be violated.</summary>
internal sealed class SpreadFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => FirstViolated(group, slot) is null;

    public string Explain(PlacementGroup group, HostSlot slot) => FirstViolated(group, slot) is { } violated
        ? violated.ReplicasIn(slot) is null
            ? $"without label {violated.TopologyKey}"
            : $"not fitting the spread over {violated.TopologyKey}"
        : "not fitting the spread";

    private static SpreadCount? FirstViolated(PlacementGroup group, HostSlot slot)
    {
        foreach (var spread in group.Spread)
        {
            if (spread.Forbids(slot))
            {
                return spread;
            }
        }

        return null;
    }
}
