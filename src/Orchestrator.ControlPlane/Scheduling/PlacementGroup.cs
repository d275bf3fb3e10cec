using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Replicas of one app and revision: interchangeable, so what was found out for one holds for all within a round.
/// </summary>
/// <param name="RevisionId">App and revision, numbered by the round.</param>
internal sealed record PlacementGroup(KnownApp App, int RevisionId, ulong Hash, Needs Needs)
{
    private static readonly Placement NoWishes = new();

    public int AppId => App.Id;

    public Placement Placement { get; } = App.App?.Spec.Placement ?? NoWishes;

    /// <summary>Hosts with few replicas of the app come first.</summary>
    public bool IsSpread { get; } = (App.App?.Spec.Placement?.Strategy ?? PlacementStrategies.Spread) == PlacementStrategies.Spread;

    /// <summary>Full hosts come first: then placing something somewhere makes a host better.</summary>
    public bool FillsUp { get; } = App.App?.Spec.Placement?.Strategy == PlacementStrategies.MostAllocated;

    /// <summary>Hosts that the filters which do not depend on what runs there let through. Shared between groups: read-only.</summary>
    public IReadOnlyList<HostSlot> Candidates { get; set; } = [];

    /// <summary>Replicas of the revision by domain, for each constraint in the order of <see cref="Placement"/>.</summary>
    public List<SpreadCount> Spread { get; } = [];

    /// <summary>Apps to keep away from.</summary>
    public List<Distance> Distances { get; } = [];

    /// <summary>By host (<see cref="HostSlot.Index"/>), the weight of preferences for hosts that it does not meet; null without any.</summary>
    public IReadOnlyList<int>? Unmet { get; set; }

    /// <summary>Null until it is needed.</summary>
    public HostRanking? Ranking { get; set; }

    /// <summary>How many replicas of it wait in this round.</summary>
    public int Waiting { get; init; } = 1;

    /// <summary>Not even by stopping others would a host fit. That does not change within a round either.</summary>
    public bool NothingMakesRoom { get; set; }

    /// <summary>Why no host fits; a round only fills hosts up, so it does not change within one.</summary>
    public string? Unfit { get; set; }
}
