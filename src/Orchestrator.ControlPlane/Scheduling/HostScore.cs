using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// How well a host suits a replica; smaller is better, compared field by field. Not a weighted sum: what matters more is never
/// outvoted by what matters less, and a placement can be explained.
/// </summary>
/// <param name="Avoided">PreferNoSchedule taints that are not tolerated: taken only if nothing else fits.</param>
/// <param name="OfRevision">
/// Replicas of the revision on the host: one host's failure should cost few of them. Those of the revision before go as these come, and
/// what is spread by all of them ends uneven.
/// </param>
/// <param name="OfApp">Replicas of the app on the host, of any revision.</param>
/// <param name="Skew">Sum of the skews of spread constraints that say ScheduleAnyway.</param>
/// <param name="Fullness">The host's load, less what is saved by an image that is there already.</param>
/// <param name="Tie">Decides between equals, for each app otherwise, and always the same.</param>
internal readonly record struct HostScore(int Avoided, int OfRevision, int OfApp, int Skew, double Fullness, ulong Tie) : IComparable<HostScore>
{
    /// <summary>An image of this size or more that is present outweighs the whole difference between an empty and a full host.</summary>
    private const double ImageBytesWorthAHost = 1_000_000_000;

    public static HostScore Of(PlacementGroup group, HostSlot slot) => new(
        slot.Host.Taints.Count == 0
            ? 0
            : slot.Host.Taints.Count(taint => taint.Effect == Taints.PreferNoSchedule && !Taints.IsTolerated(taint, group.Placement.Tolerations)),
        slot.ReplicasOfRevision(group.RevisionId),
        slot.ReplicasOfApp(group.AppId),
        group.Spread.Count == 0 ? 0 : group.Spread.Where(spread => !spread.IsHard).Sum(spread => spread.SkewWithOneMore(slot) ?? int.MaxValue / 16),
        slot.Load - (slot.Host.ImageBytes.Count == 0 ? 0 : Math.Min(1, slot.Host.ImageBytes.GetValueOrDefault(group.Needs.Image) / ImageBytesWorthAHost)),
        Mix(slot.Host.NameHash ^ group.Hash));

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
        : OfRevision.CompareTo(other.OfRevision) is not 0 and var ofRevision ? ofRevision
        : OfApp.CompareTo(other.OfApp) is not 0 and var ofApp ? ofApp
        : Skew.CompareTo(other.Skew) is not 0 and var skew ? skew
        : Fullness.CompareTo(other.Fullness) is not 0 and var fullness ? fullness
        : Tie.CompareTo(other.Tie);

    // The finisher of splitmix64: an exclusive or alone would order hosts much alike for every app.
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
