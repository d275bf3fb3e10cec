using System.Runtime.InteropServices;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// How many replicas of a revision each domain of a topology constraint has: those of the one before are on their way out. Domains are those of the candidates: one whose hosts
/// are all away or cordoned can take nothing, and must not hold the others back.
/// </summary>
internal sealed class SpreadCount
{
    private readonly Dictionary<string, int> _replicas = new(StringComparer.Ordinal);
    private int _domainsAtLeast;

    public SpreadCount(SpreadConstraint constraint, int revisionId, IEnumerable<HostSlot> candidates)
    {
        TopologyKey = constraint.TopologyKey;
        MaxSkew = constraint.MaxSkew ?? SpreadConstraint.DefaultMaxSkew;
        IsHard = constraint.WhenUnsatisfiable == UnsatisfiableActions.DoNotSchedule;
        foreach (var slot in candidates)
        {
            if (slot.Host.Label(TopologyKey) is { } domain)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_replicas, domain, out _) += slot.ReplicasOfRevision(revisionId);
            }
        }

        FindLeast();
    }

    public string TopologyKey { get; }

    public int MaxSkew { get; }

    public bool IsHard { get; }

    /// <summary>How many there are.</summary>
    public int Domains => _replicas.Count;

    /// <summary>What the domain has that has fewest. It only rises.</summary>
    public int Least { get; private set; }

    /// <summary>Those in the host's domain. Null: the host is in no domain.</summary>
    public int? ReplicasIn(HostSlot slot) =>
        slot.Host.Label(TopologyKey) is { } domain && _replicas.TryGetValue(domain, out var count) ? count : null;

    /// <summary>Whether one more there would break a hard constraint.</summary>
    public bool Forbids(HostSlot slot) => IsHard && (ReplicasIn(slot) is not { } count || count + 1 - Least > MaxSkew);

    public void Place(HostSlot slot)
    {
        if (slot.Host.Label(TopologyKey) is { } domain && _replicas.TryGetValue(domain, out var count))
        {
            _replicas[domain] = count + 1;
            if (count == Least && --_domainsAtLeast == 0)
            {
                FindLeast();
            }
        }
    }

    private void FindLeast()
    {
        Least = _replicas.Count == 0 ? 0 : _replicas.Values.Min();
        _domainsAtLeast = _replicas.Values.Count(count => count == Least);
    }
}
