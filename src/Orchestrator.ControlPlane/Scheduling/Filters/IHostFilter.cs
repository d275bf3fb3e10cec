namespace Orchestrator.ControlPlane.Scheduling.Filters;

/// <summary>One reason for which a host may not take a replica.</summary>
internal interface IHostFilter
{
    /// <summary>Whether the host may take one more replica of the group. Called for every host: must be quick.</summary>
    bool Check(PlacementGroup group, HostSlot slot);

    /// <summary>
    /// Why this host, which did not pass, was ruled out; reads after a number of hosts: "2 <c>insufficient memory</c>". Equal words
    /// are counted together.
    /// </summary>
    string Explain(PlacementGroup group, HostSlot slot);
}
