using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>The app tolerates every NoSchedule and NoExecute taint of the host.</summary>
internal sealed class TaintFilter : IHostFilter
{
    public bool Check(PlacementGroup group, HostSlot slot) =>
        slot.Host.Taints.Count == 0
        || Taints.FirstUntolerated(slot.Host.Taints, group.Placement.Tolerations, Taints.NoSchedule, Taints.NoExecute) is null;

    public string Explain(PlacementGroup group, HostSlot slot)
    {
        var taint = Taints.FirstUntolerated(slot.Host.Taints, group.Placement.Tolerations, Taints.NoSchedule, Taints.NoExecute);
        return taint is null ? "tainted" : $"with taint {Taints.Describe(taint)} that is not tolerated";
    }
}
