using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Replicas of one app and revision: interchangeable, so what was found out for one holds for all within a round.
/// </summary>
/// <param name="App">Namespace and name, as <see cref="Runtime.Informers.ReplicaIndexes.AppKey"/> writes them.</param>
internal sealed record PlacementGroup(string App, string Revision, Needs Needs, Placement Placement)
{
    /// <summary>Hosts that the filters which do not depend on what runs there let through.</summary>
    public List<HostSlot> Candidates { get; } = [];

    /// <summary>Replicas of the app by domain, for each constraint in the order of <see cref="Placement"/>.</summary>
    public List<SpreadCount> Spread { get; } = [];

    /// <summary>Why no host fits; a round only fills hosts up, so it does not change within one.</summary>
    public string? Unfit { get; set; }
}
