namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>The host has all labels that <c>placement.hostSelector</c> names.</summary>
internal sealed class HostSelectorFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        group.Placement.HostSelector is not { } selector
        || selector.All(wanted => slot.Host.Label(wanted.Key) == wanted.Value);

    public string Explain(PlacementGroup group, HostSlot slot) => "not matching the host selector";
}
