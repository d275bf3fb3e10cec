using System.Collections.Concurrent;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Draining;

/// <summary>
/// Which proxies live, and which deleting Replicas they have let go of (docs/design/draining.md). A proxy lives while its Lease
/// is not expired by our clock, or was seen to be renewed within its duration: a proxy whose clock is behind lives too.
/// </summary>
internal sealed class ProxyAcknowledgements(Informer<V1Lease> leases, TimeProvider time)
{
    /// <summary>Seconds; what a Lease that does not say counts with.</summary>
    private const int DefaultLeaseDuration = 10;

    private readonly ConcurrentDictionary<ObjectKey, DateTimeOffset> _renewalSeen = new();

    /// <summary>To be told of each change of the Leases, before anybody asks about it.</summary>
    public void Take(InformerEvent<V1Lease> change)
    {
        if (change.New is null)
        {
            _renewalSeen.TryRemove(change.Key, out _);
        }
        else if (change.Old is not null && change.Old.Spec?.RenewTime != change.New.Spec?.RenewTime)
        {
            _renewalSeen[change.Key] = time.GetUtcNow();
        }
    }

    /// <returns>
    /// Null when the Replica is drained. Otherwise when to look again though no proxy has said anything: a Lease may have
    /// expired by then, or the drain timeout be over.
    /// </returns>
    public DateTimeOffset? CheckAt(Replica replica)
    {
        var now = time.GetUtcNow();
        var deleted = new DateTimeOffset(DateTime.SpecifyKind(
            replica.Metadata.DeletionTimestamp ?? throw new ArgumentException("the Replica is not being deleted", nameof(replica)), DateTimeKind.Utc));
        var check = deleted + replica.Spec.Template.DrainTimeout;
        if (check <= now)
        {
            return null;
        }

        var waiting = false;
        foreach (var (key, lease) in leases.Items)
        {
            if (AliveUntil(key, lease) is { } until && until > now && !Acknowledges(lease, replica.Metadata.Uid))
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

    private DateTimeOffset? AliveUntil(ObjectKey key, V1Lease lease)
    {
        var duration = TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? DefaultLeaseDuration);
        DateTimeOffset? said = lease.Spec?.RenewTime is { } renewed
            ? new DateTimeOffset(DateTime.SpecifyKind(renewed, DateTimeKind.Utc)) + duration
            : null;
        DateTimeOffset? seen = _renewalSeen.TryGetValue(key, out var at) ? at + duration : null;
        return seen is null || said > seen ? said : seen;
    }
}
