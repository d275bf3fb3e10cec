namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>The host meets one of the terms that <c>placement.affinity.hostAffinity</c> requires.</summary>
internal sealed class HostAffinityFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        group.Placement.Affinity?.Hosts?.Required is not { } required || required.Terms.Any(term => Expressions.Matches(term, slot.Host));

    public string Explain(PlacementGroup group, HostSlot slot) => "not matching the host affinity";
}

/// <summary>The image is made for the host's architecture, as far as <c>placement.architectures</c> says so.</summary>
internal sealed class ArchitectureFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        group.Placement.Architectures is not { Count: > 0 } wanted || (slot.Host.Architecture is { } has && wanted.Contains(has));

    public string Explain(PlacementGroup group, HostSlot slot) =>
        slot.Host.Architecture is { } has ? $"of architecture {has}, which the image is not made for" : "of unknown architecture";
}

/// <summary>No app is near that must be kept apart from this one, by its own wish or by the other's.</summary>
internal sealed class AntiAffinityFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => FirstNear(group, slot) is null;

    public string Explain(PlacementGroup group, HostSlot slot) => FirstNear(group, slot)?.Explain(slot) ?? "near an app to keep away from";

    private static Distance? FirstNear(PlacementGroup group, HostSlot slot)
    {
        foreach (var distance in group.Distances)
        {
            if (distance.IsHard && distance.ReplicasNear(slot) > 0)
            {
                return distance;
            }
        }

        return null;
    }
}
