using System.Collections.Concurrent;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Draining;

/// <summary>
/// Which proxies live, and which deleting Replicas they have let go of (docs/design/draining.md). A proxy lives for its Lease's
/// duration after we saw it renewed, as in Kubernetes' leader election: nobody's clock is compared with another's.
/// </summary>
/// <param name="time">Tells what was left behind by a crash from what lives.</param>
internal sealed class ProxyAcknowledgements(Informer<V1Lease> leases, SteadyClock clock, TimeProvider time)
{
    /// <summary>Seconds; what a Lease that does not say counts with.</summary>
    private const int DefaultLeaseDuration = 10;

    /// <summary>
    /// A Lease older than this when first seen is what a crash left: as long as proxies wait before they sweep it, since clocks
    /// differ and outages last.
    /// </summary>
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<ObjectKey, DateTimeOffset> _renewalSeen = new();

    /// <summary>To be told of each change of the Leases, before anybody asks about it.</summary>
    public void Take(InformerEvent<V1Lease> change)
    {
        if (change.New is null)
        {
            _renewalSeen.TryRemove(change.Key, out _);
        }
        else if (change.Old is null)
        {
            // First seen counts as renewed: we may have been away together with the API server, and its proxy routed on meanwhile.
            _renewalSeen[change.Key] = IsAbandoned(change.New) ? DateTimeOffset.MinValue : clock.Now;
        }
        else if (change.Old.Spec?.RenewTime != change.New.Spec?.RenewTime)
        {
            _renewalSeen[change.Key] = clock.Now;
        }
    }

    /// <param name="replica">It is being deleted.</param>
    /// <param name="seenLeaving">
    /// When that was first seen here. The drain timeout counts from then, not from the deletionTimestamp: until the API server is
    /// there to tell us, it tells no proxy either.
    /// </param>
    /// <returns>
    /// Null when the Replica is drained. Otherwise when to look again though no proxy has said anything: a Lease may have
    /// expired by then, or the drain timeout be over.
    /// </returns>
    public DateTimeOffset? CheckAt(Replica replica, DateTimeOffset seenLeaving)
    {
        var now = clock.Now;
        var check = seenLeaving + replica.Spec.Template.DrainTimeout;
        if (check <= now)
        {
            return null;
        }

        var waiting = false;
        foreach (var (key, lease) in leases.Items)
        {
            var until = AliveUntil(key, lease, now);
            if (until > now && !Acknowledges(lease, replica.Metadata.Uid))
            {
                waiting = true;
                check = until < check ? until : check;
            }
        }

        return waiting ? check : null;
    }

    /// <summary>Whether the Lease's proxy says that it has let go of the Replica.</summary>
    internal static bool Acknowledges(V1Lease lease, string uid) =>
        lease.Metadata.Annotations is { } annotations
        && annotations.TryGetValue(Annotations.Drained, out var drained)
        && drained.Split(',', StringSplitOptions.TrimEntries).Contains(uid, StringComparer.Ordinal);

    private bool IsAbandoned(V1Lease lease) =>
        lease.Spec?.RenewTime is not { } renewed
        || time.GetUtcNow() - new DateTimeOffset(DateTime.SpecifyKind(renewed, DateTimeKind.Utc)) >= AbandonedAfter;

    // One that nobody has told of yet has just come.
    private DateTimeOffset AliveUntil(ObjectKey key, V1Lease lease, DateTimeOffset now) =>
        _renewalSeen.GetValueOrDefault(key, now) + TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? DefaultLeaseDuration);
}
