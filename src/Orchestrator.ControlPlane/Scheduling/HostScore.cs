using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// How well a host suits a replica; smaller is better, compared field by field. Not a weighted sum: what matters more is never
/// outvoted by what matters less, and a placement can be explained.
/// </summary>
/// <param name="Avoided">PreferNoSchedule taints that are not tolerated: taken only if nothing else fits.</param>
/// <param name="Unmet">Weight of the app's preferences that the host does not meet, each replica near it that it would rather avoid included.</param>
/// <param name="OfRevision">
/// Replicas of the revision on the host: one host's failure should cost few of them. Those of the revision before go as these come, and
/// what is spread by all of them ends uneven. 0, like the next, where the app's strategy does not spread.
/// </param>
/// <param name="OfApp">Replicas of the app on the host, of any revision.</param>
/// <param name="InDomains">
/// Replicas of the revision in the host's domains of constraints that say ScheduleAnyway: the least skew is where there are fewest.
/// </param>
/// <param name="Fullness">The host's load, negative where the strategy is to fill hosts up, less what is saved by an image that is there already.</param>
/// <param name="Tie">Decides between equals, for each app otherwise, and always the same.</param>
internal readonly record struct HostScore(
    int Avoided, int Unmet, int OfRevision, int OfApp, int InDomains, double Fullness, ulong Tie) : IComparable<HostScore>
{
    /// <summary>An image of this size or more that is present outweighs the whole difference between an empty and a full host.</summary>
    private const double ImageBytesWorthAHost = 1_000_000_000;

    /// <summary>For a host that is in no domain of a constraint: worse than in any, and sums of it still fit.</summary>
    private const int OutsideOfDomains = int.MaxValue / 16;

    /// <summary>What is compared before <see cref="Tie"/>, in that order, for whoever explains a placement.</summary>
    public static IReadOnlyList<ScoreField> Fields { get; } =
    [
        new("avoided", "more taints that say PreferNoSchedule", score => score.Avoided),
        new("unmet", "less of what the app prefers", score => score.Unmet),
        new("ofRevision", "more replicas of the revision", score => score.OfRevision),
        new("ofApp", "more replicas of the app", score => score.OfApp),
        new("inDomains", "more replicas of the revision in its domains, or in none", score => score.InDomains < OutsideOfDomains ? score.InDomains : null),
        new("fullness", "a load that suits the strategy less, or no image", score => score.Fullness),
    ];

    public static HostScore Of(PlacementGroup group, HostSlot slot) => new(
        slot.Host.Taints.Count == 0
            ? 0
            : slot.Host.Taints.Count(taint => taint.Effect == Taints.PreferNoSchedule && !Taints.IsTolerated(taint, group.Placement.Tolerations)),
        (group.Unmet?[slot.Index] ?? 0) + (group.Distances.Count == 0 ? 0 : group.Distances.Sum(distance => distance.Weight * distance.ReplicasNear(slot))),
        group.IsSpread ? slot.ReplicasOfRevision(group.RevisionId) : 0,
        group.IsSpread ? slot.ReplicasOfApp(group.AppId) : 0,
        InDomainsOf(group, slot),
        (group.FillsUp ? -slot.Load : slot.Load) - (slot.Host.ImageBytes.Count == 0 ? 0 : Math.Min(1, slot.Host.ImageBytes.GetValueOrDefault(group.Needs.Image) / ImageBytesWorthAHost)),
        Mix(slot.Host.NameHash ^ group.Hash));

    /// <summary>What a constraint that says ScheduleAnyway adds to <see cref="InDomains"/>.</summary>
    public static int InDomain(SpreadCount spread, HostSlot slot) => spread.ReplicasIn(slot) ?? OutsideOfDomains;

    /// <summary>FNV-1a: the same in every process, unlike string.GetHashCode.</summary>
    public static ulong HashOf(string name)
    {
        var hash = 0xcbf29ce484222325;
        foreach (var character in name)
        {
            hash = (hash ^ character) * 0x100000001b3;
        }

        return hash;
    }

    public int CompareTo(HostScore other) =>
        Avoided.CompareTo(other.Avoided) is not 0 and var avoided ? avoided
        : Unmet.CompareTo(other.Unmet) is not 0 and var unmet ? unmet
        : OfRevision.CompareTo(other.OfRevision) is not 0 and var ofRevision ? ofRevision
        : OfApp.CompareTo(other.OfApp) is not 0 and var ofApp ? ofApp
        : InDomains.CompareTo(other.InDomains) is not 0 and var inDomains ? inDomains
        : Fullness.CompareTo(other.Fullness) is not 0 and var fullness ? fullness
        : Tie.CompareTo(other.Tie);

    /// <summary>In which field this is worse than a better one.</summary>
    public string WhyBehind(HostScore better)
    {
        foreach (var field in Fields)
        {
            if (field.Value(this) != field.Value(better))
            {
                return field.Worse;
            }
        }

        return "as good; a hash of host and app decides";
    }

    private static int InDomainsOf(PlacementGroup group, HostSlot slot)
    {
        var sum = 0;
        foreach (var spread in group.Spread)
        {
            sum += spread.IsHard ? 0 : InDomain(spread, slot);
        }

        return sum;
    }

    // The finisher of splitmix64: an exclusive or alone would order hosts much alike for every app.
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}

/// <summary>A field of <see cref="HostScore"/> by name.</summary>
/// <param name="Worse">What a host is, or has, that loses by this field.</param>
/// <param name="Value">Null: worse than any number.</param>
internal sealed record ScoreField(string Name, string Worse, Func<HostScore, double?> Value);
