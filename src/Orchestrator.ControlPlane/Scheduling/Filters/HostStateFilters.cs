using System.Globalization;

namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>The engine answers.</summary>
internal sealed class ReadyFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => slot.Host.IsReady;

    public string Explain(PlacementGroup group, HostSlot slot) => "not ready";
}

/// <summary>The host has not failed again and again, or has been ready for long enough since.</summary>
internal sealed class FlappingFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => !slot.IsHeldBack;

    public string Explain(PlacementGroup group, HostSlot slot) =>
        string.Create(CultureInfo.InvariantCulture, $"flapping until {slot.Host.HeldBackUntil:yyyy-MM-ddTHH:mm:ssZ}");
}

/// <summary>The user lets the host take something new.</summary>
internal sealed class CordonFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) => slot.Host is { IsCordoned: false, IsLeaving: false };

    public string Explain(PlacementGroup group, HostSlot slot) => slot.Host.IsLeaving ? "being deleted" : slot.Host.IsDrained ? "being drained" : "cordoned";
}
