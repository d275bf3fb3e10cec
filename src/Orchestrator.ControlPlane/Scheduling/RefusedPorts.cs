using Orchestrator.Api.Replicas;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>Host ports that an engine has lately refused because something that is not ours listens there.</summary>
internal sealed class RefusedPorts(TimeProvider time)
{
    /// <summary>After this a port is tried again. Whoever holds it is more likely a service than a passer-by.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(30);

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Host, int Port), long> _refusedAt = [];

    public void Learn(Replica replica)
    {
        if (replica is { Status: { Phase: ReplicaPhases.BackOff, Reason: ReplicaView.PortUnavailable }, Spec: { HostName: { } host, HostPort: { } port } })
        {
            lock (_gate)
            {
                _refusedAt[(host, port)] = time.GetTimestamp();
            }
        }
    }

    public IReadOnlyList<(string Host, int Port)> Current()
    {
        lock (_gate)
        {
            foreach (var old in _refusedAt.Where(entry => time.GetElapsedTime(entry.Value) >= Memory).Select(entry => entry.Key).ToList())
            {
                _refusedAt.Remove(old);
            }

            return [.. _refusedAt.Keys];
        }
    }

    /// <summary>How long until the first of them may be tried again; null when there are none. Whole milliseconds, as timers count.</summary>
    public TimeSpan? NextExpiry()
    {
        lock (_gate)
        {
            return _refusedAt.Count == 0
                ? null
                : TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((Memory - time.GetElapsedTime(_refusedAt.Values.Min())).TotalMilliseconds)));
        }
    }
}
