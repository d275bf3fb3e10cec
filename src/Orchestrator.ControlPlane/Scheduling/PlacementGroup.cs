using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Replicas of one app and revision: interchangeable, so what was found out for one holds for all within a round.
/// </summary>
/// <param name="AppId">The app, numbered by the round.</param>
/// <param name="RevisionId">App and revision, numbered by the round.</param>
internal sealed record PlacementGroup(int AppId, int RevisionId, ulong Hash, Needs Needs, Placement Placement)
{
    /// <summary>Hosts that the filters which do not depend on what runs there let through. Shared between groups: read-only.</summary>
    public IReadOnlyList<HostSlot> Candidates { get; set; } = [];

    /// <summary>Replicas of the revision by domain, for each constraint in the order of <see cref="Placement"/>.</summary>
    public List<SpreadCount> Spread { get; } = [];

    /// <summary>The candidates, best first, by scores that may be outdated; null until it is needed.</summary>
    public PriorityQueue<HostSlot, HostScore>? Ranking { get; set; }

    public bool WasSearched { get; set; }

    /// <summary>Why no host fits; a round only fills hosts up, so it does not change within one.</summary>
    public string? Unfit { get; set; }
}
