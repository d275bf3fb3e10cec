namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>The cores that the app requests are not promised to others yet.</summary>
internal sealed class CpuFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        group.Needs.Cpu == 0 || slot.Host.Cpu is not { } capacity || slot.Cpu + group.Needs.Cpu <= capacity;

    public string Explain(PlacementGroup group, HostSlot slot) => "insufficient cpu";
}

/// <summary>The memory that the app requests is not promised to others yet.</summary>
internal sealed class MemoryFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        group.Needs.Memory == 0 || slot.Host.Memory is not { } capacity || slot.Memory + group.Needs.Memory <= capacity;

    public string Explain(PlacementGroup group, HostSlot slot) => "insufficient memory";
}

/// <summary>The host's port range is not used up.</summary>
internal sealed class PortFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => slot.HasFreePort;

    public string Explain(PlacementGroup group, HostSlot slot) => $"without a free port in {slot.Host.FirstPort}-{slot.Host.LastPort}";
}
