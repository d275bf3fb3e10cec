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

        Least = _replicas.Count == 0 ? 0 : _replicas.Values.Min();
    }

    public string TopologyKey { get; }

    public int MaxSkew { get; }

    public bool IsHard { get; }

    public int Least { get; private set; }

    /// <summary>How much more than the emptiest domain the host's would have with one more. Null: the host is in no domain.</summary>
    public int? SkewWithOneMore(HostSlot slot) =>
        slot.Host.Label(TopologyKey) is { } domain && _replicas.TryGetValue(domain, out var count) ? count + 1 - Least : null;

    public void Place(HostSlot slot)
    {
        if (slot.Host.Label(TopologyKey) is { } domain && _replicas.TryGetValue(domain, out var count))
        {
            _replicas[domain] = count + 1;
            if (count == Least)
            {
                Least = _replicas.Values.Min();
            }
        }
    }
}
