using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>Room for a replica on a host: what must still be stopped there, by this decision or already being so.</summary>
/// <param name="Victims">Of lower priority, to be deleted; none when what is being stopped already makes enough room.</param>
internal sealed record Preemption(HostSlot Slot, IReadOnlyList<Replica> Victims);

/// <summary>
/// Finds where a replica would fit if others of lower priority went. Only cpu, memory and host ports are made room for; whatever else
/// rules a host out (labels, taints, limits, spreads, distances) rules it out here too. Made for a round when it first needs one.
/// </summary>
internal sealed class PreemptionFinder
{
    private readonly List<Occupant>[] _occupants;
    private readonly int _lowest = int.MaxValue;
    private readonly Dictionary<int, int> _mayGo = [];

    /// <param name="bound">Each with the host that it is on.</param>
    public PreemptionFinder(IReadOnlyList<HostSlot> slots, IEnumerable<(Replica Replica, KnownApp App, HostSlot Slot, bool IsLeaving)> bound)
    {
        _occupants = [.. slots.Select(_ => new List<Occupant>())];
        var available = new Dictionary<int, (KnownApp App, int Count)>();
        foreach (var (replica, app, slot, isLeaving) in bound)
        {
            var serves = !isLeaving && replica.Status?.Ready == true && slot.Host.IsReady;
            var ports = slot.IsInRange(replica.Spec.HostPort ?? 0) ? 1 : 0;
            _occupants[slot.Index].Add(new Occupant(replica, app, Needs.Of(replica.Spec.Template), ports, serves) { IsLeaving = isLeaving });
            _lowest = Math.Min(_lowest, app.Priority);
            available[app.Id] = (app, available.GetValueOrDefault(app.Id).Count + (serves ? 1 : 0));
        }

        foreach (var (id, (app, count)) in available)
        {
            // Nobody asks any more for the replicas of an app that is gone.
            _mayGo.Add(id, app.App is null ? int.MaxValue : count - (app.App.DesiredReplicas - DisruptionLimits.MaxUnavailable(app.App)));
        }
    }

    /// <summary>One of a higher priority than others found no room: it may, once more of their replicas serve.</summary>
    public bool WasInVain { get; private set; }

    /// <returns>Null when no host would fit, or when nothing that is bound has a lower priority.</returns>
    public Preemption? Find(PlacementGroup group)
    {
        if (group.App.Priority <= _lowest)
        {
            return null;
        }

        (HostSlot Slot, List<Occupant> Victims)? best = null;
        foreach (var slot in group.Candidates.Where(slot => FilterPipeline.FitsButForRoom(group, slot)))
        {
            if (VictimsOn(slot, group) is { } victims && (best is not { } other || IsBetter(group, (slot, victims), other)))
            {
                best = (slot, victims);
            }
        }

        if (best is not { } found)
        {
            WasInVain = true;
            return null;
        }

        foreach (var victim in found.Victims)
        {
            victim.IsLeaving = true;
            _mayGo[victim.App.Id] -= victim.Serves ? 1 : 0;
        }

        return new Preemption(found.Slot, [.. found.Victims.Select(victim => victim.Replica)]);
    }

    /// <summary>
    /// All of lower priority go, as far as their apps can spare them; then, the most important first, each is left that can be, as
    /// kube-scheduler does it. So no part of what is left over would do.
    /// </summary>
    /// <returns>Null when even that makes not enough room.</returns>
    private List<Occupant>? VictimsOn(HostSlot slot, PlacementGroup group)
    {
        var victims = Spared(_occupants[slot.Index].Where(one => !one.IsLeaving && one.App.Priority < group.App.Priority)).ToList();
        var room = Room.Of(slot);
        foreach (var occupant in _occupants[slot.Index].Where(one => one.IsLeaving).Concat(victims))
        {
            room = room.With(occupant, +1);
        }

        if (!room.Takes(group.Needs))
        {
            return null;
        }

        foreach (var victim in victims
            .OrderByDescending(one => one.App.Priority)
            .ThenByDescending(one => one.Serves)
            .ThenBy(one => one.Replica.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenBy(one => one.Replica.Metadata.Name, StringComparer.Ordinal)
            .ToList())
        {
            if (room.With(victim, -1) is var without && without.Takes(group.Needs))
            {
                room = without;
                victims.Remove(victim);
            }
        }

        return victims;
    }

    /// <summary>Those that do not serve, and of each app as many that do as it can spare, the youngest first.</summary>
    private IEnumerable<Occupant> Spared(IEnumerable<Occupant> occupants) => occupants
        .GroupBy(one => one.App.Id)
        .SelectMany(app => app.Where(one => !one.Serves).Concat(app
            .Where(one => one.Serves)
            .OrderByDescending(one => one.Replica.Metadata.CreationTimestamp ?? DateTime.MaxValue)
            .ThenByDescending(one => one.Replica.Metadata.Name, StringComparer.Ordinal)
            .Take(Math.Max(0, _mayGo[app.Key]))));

    /// <summary>The victims that matter least; then the fewest; then the host that suits better.</summary>
    private static bool IsBetter(PlacementGroup group, (HostSlot Slot, List<Occupant> Victims) one, (HostSlot Slot, List<Occupant> Victims) other) =>
        Highest(one.Victims).CompareTo(Highest(other.Victims)) is not 0 and var highest ? highest < 0
        : one.Victims.Count.CompareTo(other.Victims.Count) is not 0 and var count ? count < 0
        : HostScore.Of(group, one.Slot).CompareTo(HostScore.Of(group, other.Slot)) < 0;

    private static long Highest(List<Occupant> victims) => victims.Count == 0 ? long.MinValue : victims.Max(victim => victim.App.Priority);

    /// <summary>A replica on a host.</summary>
    /// <param name="Serves">It takes requests: its app has one fewer that does when it goes.</param>
    /// <param name="Ports">1 when it has one of the host's range.</param>
    private sealed record Occupant(Replica Replica, KnownApp App, Needs Needs, int Ports, bool Serves)
    {
        public bool IsLeaving { get; set; }
    }

    /// <summary>What of a host nobody has; negative where it is overbooked.</summary>
    private readonly record struct Room(long Cpu, long Memory, int Ports)
    {
        public static Room Of(HostSlot slot) => new(Free(slot.Host.Cpu, slot.Cpu), Free(slot.Host.Memory, slot.Memory), slot.FreePorts);

        public bool Takes(Needs needs) => (needs.Cpu == 0 || Cpu >= needs.Cpu) && (needs.Memory == 0 || Memory >= needs.Memory) && Ports > 0;

        /// <param name="sign">1 when the occupant goes, -1 when it stays after all.</param>
        public Room With(Occupant occupant, int sign) =>
            new(Cpu + (sign * occupant.Needs.Cpu), Memory + (sign * occupant.Needs.Memory), Ports + (sign * occupant.Ports));

        // Where nobody has said how much there is, half of all numbers is enough, and sums still fit.
        private static long Free(long? capacity, long used) => capacity is { } known ? known - used : long.MaxValue / 2;
    }
}
