namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>The engine answers.</summary>
internal sealed class ReadyFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => slot.Host.IsReady;

    public string Explain(PlacementGroup group, HostSlot slot) => "not ready";
}

/// <summary>The user lets the host take something new.</summary>
internal sealed class CordonFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => slot.Host is { IsCordoned: false, IsLeaving: false };

    public string Explain(PlacementGroup group, HostSlot slot) => slot.Host.IsLeaving ? "being deleted" : slot.Host.IsDrained ? "being drained" : "cordoned";
}
