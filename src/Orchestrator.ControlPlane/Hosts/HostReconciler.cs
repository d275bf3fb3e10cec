using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>
/// Sums up what a host carries, and sees it off: a host that is being deleted is left by its Replicas first, in the WebApp
/// controller's rolling way; one that went without that is declared lost, so that nothing waits for its agent.
/// </summary>
internal sealed partial class HostReconciler(SharedInformers informers, IEventRecorder events, ILogger logger, TimeProvider time)
{
    /// <summary>
    /// How long replacements get to become ready elsewhere before what is left on a host that is being deleted is deleted all the
    /// same. Without an end, the last host could never be removed.
    /// </summary>
    public static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(2);

    /// <summary>A host that is being deleted and has been silent for this long is taken for gone: its agent cannot clean up.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Sums are for reading, and an app of a thousand replicas changes those of each host again and again: past a hundred hosts at
    /// once they are written 20 a second, not one a start.
    /// </summary>
    private readonly Turns _turns = new(TimeSpan.FromMilliseconds(50), burst: 100, time);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var bound = informers.Replicas.ByIndex(ReplicaIndexes.ByHost, key.Name);
        var found = informers.Hosts.Get(key);
        HostMetrics.Set(key.Name, found, time.GetUtcNow());
        if (found is not { } host)
        {
            _turns.Forget(key.Name);

            // The cache of hosts may be behind that of Replicas.
            if (bound.Count > 0 && await informers.HostClient.GetAsync(key, cancellationToken) is null)
            {
                await DeleteAsync(bound, cancellationToken);
                await ReleaseAsync(bound, "no longer exists", cancellationToken);
                return ReconcileResult.After(LookAgain);
            }

            return ReconcileResult.Done;
        }

        var turn = await WriteAllocationAsync(host, HostAllocation.Of(bound), cancellationToken);
        var next = await LookAfterAsync(host, bound, cancellationToken);
        return Earliest.Of(turn, next.LookAgainAfter) is { } soonest ? ReconcileResult.After(soonest) : ReconcileResult.Done;
    }

    private async Task<ReconcileResult> LookAfterAsync(DockerHost host, IReadOnlyCollection<Replica> bound, CancellationToken cancellationToken)
    {
        if (host.Metadata.DeletionTimestamp is { } deleted)
        {
            return await DrainAsync(host, bound, time.GetUtcNow() - new DateTimeOffset(deleted, TimeSpan.Zero), cancellationToken);
        }

        if (!(host.Metadata.Finalizers?.Contains(Finalizers.Host) ?? false))
        {
            return await WriteFinalizersAsync(host, finalizers => finalizers.Append(Finalizers.Host), cancellationToken)
                ? ReconcileResult.After(Resync)
                : ReconcileResult.After(LookAgain);
        }

        return ReconcileResult.After(HostFlapping.HeldBackUntil(host.Status, time.GetUtcNow()) - time.GetUtcNow().UtcDateTime ?? Resync);
    }

    private async Task<ReconcileResult> DrainAsync(
        DockerHost host, IReadOnlyCollection<Replica> bound, TimeSpan draining, CancellationToken cancellationToken)
    {
        if (!(host.Metadata.Finalizers?.Contains(Finalizers.Host) ?? false))
        {
            return ReconcileResult.Done;
        }

        if (bound.Count == 0)
        {
            // After the finalizer nobody would look: ask the server itself.
            var unseen = await informers.ReplicaClient.ListAsync(null, $"{Labels.Host}={host.Metadata.Name}", cancellationToken);
            if (unseen.Items.Count > 0)
            {
                return ReconcileResult.After(LookAgain);
            }

            if (!await WriteFinalizersAsync(host, finalizers => finalizers.Where(name => name != Finalizers.Host), cancellationToken))
            {
                return ReconcileResult.After(LookAgain);
            }

            Log.Gone(logger, host.Metadata.Name);
            return ReconcileResult.Done;
        }

        if (draining >= DrainDeadline)
        {
            await DeleteAsync(bound, cancellationToken);
        }
        else
        {
            // Nobody replaces those that belong to no app.
            await DeleteAsync(bound.Where(replica => replica.GetController()?.Kind != WebApp.KubeKind), cancellationToken);
        }

        if (HostHealth.NotReadySince(host) is { } since && time.GetUtcNow() - since >= LostAfter && draining >= LostAfter)
        {
            await ReleaseAsync(bound, "is being deleted and does not answer", cancellationToken);
        }

        return ReconcileResult.After(draining < LostAfter ? LostAfter - draining : draining < DrainDeadline ? DrainDeadline - draining : LookAgain * 10);
    }

    private async Task DeleteAsync(IEnumerable<Replica> replicas, CancellationToken cancellationToken)
    {
        foreach (var replica in replicas.Where(replica => replica.Metadata.DeletionTimestamp is null))
        {
            try
            {
                await informers.ReplicaClient.DeleteAsync(ObjectKey.Of(replica), replica.Metadata.Uid, cancellationToken);
            }
            catch (ConflictException)
            {
                // Another Replica has the name by now: this one is gone.
            }
        }
    }

    /// <summary>Takes the agent's finalizer from Replicas that are being deleted: there is no engine left to stop them on.</summary>
    private async Task ReleaseAsync(IEnumerable<Replica> replicas, string why, CancellationToken cancellationToken)
    {
        foreach (var replica in replicas.Where(replica =>
            replica.Metadata.DeletionTimestamp is not null && (replica.Metadata.Finalizers?.Contains(Finalizers.Container) ?? false)))
        {
            var finalizers = replica.Metadata.Finalizers.Where(name => name != Finalizers.Container);
            try
            {
                await informers.ReplicaClient.MergePatchAsync(
                    ObjectKey.Of(replica), new { metadata = new { resourceVersion = replica.Metadata.ResourceVersion, finalizers } }, cancellationToken);
            }
            catch (NotFoundException)
            {
                continue;
            }

            Log.Released(logger, replica.Metadata.NamespaceProperty, replica.Metadata.Name, replica.Spec.HostName, why);
            events.Record(replica, EventTypes.Warning, "HostLost",
                $"host {replica.Spec.HostName} {why}: the replica is given up; if the machine still runs, so may its container");
        }
    }

    /// <summary>These two fields of the status are ours, the rest is the agent's: a merge patch keeps them apart.</summary>
    /// <returns>After how long to come again, because others have their turn first; null when all is written.</returns>
    private async Task<TimeSpan?> WriteAllocationAsync(DockerHost host, HostAllocation allocation, CancellationToken cancellationToken)
    {
        if (allocation.IsIn(host.Status))
        {
            return null;
        }

        if (_turns.Wait(host.Metadata.Name) is var wait && wait > TimeSpan.Zero)
        {
            return wait;
        }

        var patch = new { status = new { allocated = allocation.ToQuantities(), replicas = allocation.Replicas } };
        informers.Hosts.Seed(await informers.HostClient.MergePatchStatusAsync(ObjectKey.Of(host), patch, cancellationToken));
        return null;
    }

    /// <returns>False when the host is another one by now, or gone.</returns>
    /// <exception cref="ConflictException">The host changed meanwhile.</exception>
    private async Task<bool> WriteFinalizersAsync(
        DockerHost host, Func<IEnumerable<string>, IEnumerable<string>> change, CancellationToken cancellationToken)
    {
        // Not the form this reconcile began with: the allocation may just have been written. List and revision from the same form,
        // or a finalizer that others have set since would be overwritten in spite of the revision.
        if (informers.Hosts.Get(ObjectKey.Of(host)) is not { } current || current.Metadata.Uid != host.Metadata.Uid)
        {
            return false;
        }

        var finalizers = change(current.Metadata.Finalizers ?? []).Distinct();
        var patch = new { metadata = new { resourceVersion = current.Metadata.ResourceVersion, finalizers } };
        informers.Hosts.Seed(await informers.HostClient.MergePatchAsync(ObjectKey.Of(host), patch, cancellationToken));
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Host {Host} carries nothing any more and is gone")]
        public static partial void Gone(ILogger logger, string host);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Replica {Namespace}/{Name} is given up: host {Host} {Why}")]
        public static partial void Released(ILogger logger, string @namespace, string name, string? host, string why);
    }
}
