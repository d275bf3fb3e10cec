using System.Collections.Concurrent;
using k8s.Models;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane;

/// <summary>The proxies that live: those whose Lease was seen to change within its duration. Clocks need not agree.</summary>
internal sealed class LiveProxies
{
    /// <summary>Seconds; what a Lease that does not say counts with.</summary>
    private const int DefaultLeaseDuration = 10;

    private readonly SharedInformers _informers;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<ObjectKey, long> _seenAt = new();

    /// <summary>Subscribes to the informers: to be made before they run.</summary>
    public LiveProxies(SharedInformers informers, TimeProvider time)
    {
        (_informers, _time) = (informers, time);
        informers.ProxyLeases.Subscribe(change =>
        {
            if (change.New is null)
            {
                _seenAt.TryRemove(change.Key, out _);
            }
            else
            {
                _seenAt[change.Key] = _time.GetTimestamp();
            }
        });
    }

    /// <summary>Their Leases, each with the time after which it runs out unless it is renewed.</summary>
    public IEnumerable<(ObjectKey Key, V1Lease Lease, TimeSpan Left)> Leases => _informers.ProxyLeases.Items
        .Select(entry => (entry.Key, entry.Value, Left: LeftOf(entry.Key, entry.Value)))
        .Where(entry => entry.Left > TimeSpan.Zero);

    private TimeSpan LeftOf(ObjectKey key, V1Lease lease) => _seenAt.TryGetValue(key, out var seen)
        ? TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? DefaultLeaseDuration) - _time.GetElapsedTime(seen)
        : TimeSpan.Zero;
}
