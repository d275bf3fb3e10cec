using System.Collections.Concurrent;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>
/// Replicas that the server no longer has and the cache still shows: to decide for them again before the watch catches up would
/// be a tight loop.
/// </summary>
internal sealed class GoneReplicas
{
    private readonly Informer<Replica> _replicas;
    private readonly ConcurrentDictionary<string, bool> _uids = new(StringComparer.Ordinal);

    public GoneReplicas(Informer<Replica> replicas)
    {
        _replicas = replicas;
        replicas.Subscribe(change =>
        {
            if (change.New is null)
            {
                _uids.TryRemove(change.Object.Metadata.Uid, out _);
            }
        });
    }

    public bool Contains(Replica replica) => _uids.ContainsKey(replica.Metadata.Uid);

    public void Add(Replica replica)
    {
        var uid = replica.Metadata.Uid;
        _uids[uid] = true;
        if (_replicas.Get(ObjectKey.Of(replica))?.Metadata.Uid != uid)
        {
            // The watch was faster than the answer.
            _uids.TryRemove(uid, out _);
        }
    }

    public void Clear() => _uids.Clear();
}
