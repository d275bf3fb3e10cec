using Orchestrator.Api.Replicas;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Decisions whose writing has not ended: they count as done for the rounds meanwhile, so that no room and no port is given twice
/// and no Replica is decided for twice.
/// </summary>
internal sealed class Assumptions
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Decision> _byUid = new(StringComparer.Ordinal);

    public void Add(Decision decision)
    {
        lock (_gate)
        {
            _byUid[decision.Replica.Metadata.Uid] = decision;
        }
    }

    public void Remove(Replica replica)
    {
        lock (_gate)
        {
            _byUid.Remove(replica.Metadata.Uid);
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _byUid.Clear();
        }
    }

    public IReadOnlyDictionary<string, Decision> Snapshot()
    {
        lock (_gate)
        {
            return new Dictionary<string, Decision>(_byUid, StringComparer.Ordinal);
        }
    }
}
