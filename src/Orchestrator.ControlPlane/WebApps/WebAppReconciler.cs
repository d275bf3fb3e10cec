using System.Runtime.ExceptionServices;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Moves one WebApp a step toward its spec: creates and deletes Replicas by <see cref="RolloutPlan"/>, keeps the history, writes
/// the status. Never writes the spec.
/// </summary>
internal sealed partial class WebAppReconciler(
    SharedInformers informers,
    ReplicaWrites writes,
    RevisionHistory history,
    RouteConflicts conflicts,
    ListenerErrors listenerErrors,
    WebAppStatusWriter statuses,
    WebAppFinalizing finalizing,
    IEventRecorder events,
    ILogger logger,
    TimeProvider time)
{
    /// <summary>Looking again without a cause finds what no event told of. Kubernetes' informers resync at such periods.</summary>
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);

    /// <summary>After a create that was neither made nor found: somebody else is at work on the same names.</summary>
    private static readonly TimeSpan AfterLostRace = TimeSpan.FromMilliseconds(50);

    public async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var replicas = informers.Replicas.ByIndex(ReplicaIndexes.ByApp, ReplicaIndexes.AppKey(key.Namespace!, key.Name));
        if (informers.WebApps.Get(key) is not { } app)
        {
            statuses.Forget(key);
            WebAppMetrics.Remove(key);
            return await finalizing.DeleteOrphansAsync(key, replicas, cancellationToken);
        }

        if (app.Metadata.DeletionTimestamp is not null)
        {
            return await finalizing.FinalizeAsync(app, replicas, cancellationToken);
        }

        app = await finalizing.EnsureFinalizerAsync(app, cancellationToken);
        await AdoptAsync(app, replicas, cancellationToken);

        var revision = RevisionHash.Of(app.Spec);
        var before = await ViewAsync(app, revision, cancellationToken);
        var plan = RolloutPlan.Make(app.Spec.DesiredReplicas, [.. before.Select(view => view.State)]);
        var failure = await ActAsync(app, revision, before, plan, cancellationToken);

        var after = await ViewAsync(app, revision, cancellationToken);
        var listening = listenerErrors.Of(app);
        var lookAgain = await statuses.WriteAsync(
            new RollupInput(app, revision, after)
            {
                IsKept = failure.Keep is null,
                CreateFailure = failure.Create?.Message,
                LostClaims = conflicts.LostBy(app),
                ListenerErrors = listening.Errors,
            },
            cancellationToken);
        if ((failure.Create ?? failure.Keep) is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
        }

        var soonest = after.Select(view => view.RecheckAfter)
            .Append(lookAgain)
            .Append(listening.RecheckAfter)
            .Append(failure.LostRace ? AfterLostRace : null)
            .Append(replicas.Any(writes.IsInDoubt) ? ReplicaWrites.Doubt : null)
            .Min();
        return ReconcileResult.After(soonest ?? Resync);
    }

    private async Task<(Exception? Create, Exception? Keep, bool LostRace)> ActAsync(
        WebApp app, string revision, IReadOnlyList<ReplicaView> live, RolloutPlan plan, CancellationToken cancellationToken)
    {
        var isNew = app.Status?.UpdateRevision != revision;
        if (isNew && app.Status?.UpdateRevision is { } old)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.RolloutStarted, $"replacing revision {old} by {revision}");
        }

        var keeping = isNew ? KeepAsync(app, revision, live, cancellationToken) : Task.FromResult<Exception?>(null);
        var deleting = DeleteAsync(app, live, plan, cancellationToken);
        var creating = plan.Create > 0 ? writes.CreateAsync(app, revision, plan.Create, cancellationToken) : Task.FromResult((0, default(Exception)));

        // All of them, also when one fails: none may still be at work when the app is looked at again.
        await Task.WhenAll(keeping, deleting, creating);
        var (created, failure) = await creating;
        if (created > 0)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.ScaledUp, $"created {created} of {app.Spec.DesiredReplicas} replicas of revision {revision}");
        }

        if (failure is not null)
        {
            events.Record(app, EventTypes.Warning, WebAppReasons.FailedCreate, failure.Message);
        }

        return (failure, await keeping, failure is null && created < plan.Create);
    }

    /// <summary>The history is for later: a failure to write it must not hold up the replicas, only be tried again.</summary>
    private async Task<Exception?> KeepAsync(WebApp app, string revision, IReadOnlyList<ReplicaView> live, CancellationToken cancellationToken)
    {
        try
        {
            await history.EnsureAsync(app, revision, live.Select(view => view.Replica.Spec.Revision).ToHashSet(), cancellationToken);
            return null;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            return failure;
        }
    }

    private async Task DeleteAsync(WebApp app, IReadOnlyList<ReplicaView> live, RolloutPlan plan, CancellationToken cancellationToken)
    {
        if (plan.Delete.Count == 0)
        {
            return;
        }

        var names = plan.Delete.ToHashSet(StringComparer.Ordinal);
        var leaving = live.Where(view => names.Contains(view.Replica.Metadata.Name)).ToList();
        await writes.DeleteAsync(leaving.Select(view => view.Replica), cancellationToken);

        foreach (var broken in leaving.Where(view => view.Broken).GroupBy(view => view.Reason))
        {
            events.Record(app, EventTypes.Warning, WebAppReasons.ReplacedReplica,
                $"replacing {Names(broken)}: {broken.Key}: {broken.First().Message}");
        }

        if (leaving.Where(view => !view.Broken).ToList() is { Count: > 0 } others)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.ScaledDown, $"deleted {Names(others)}");
        }

        static string Names(IEnumerable<ReplicaView> views)
        {
            var names = views.Select(view => view.Replica.Metadata.Name).ToList();
            return names.Count <= 3 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(3))} and {names.Count - 3} more";
        }
    }

    private async Task AdoptAsync(WebApp app, IReadOnlyCollection<Replica> replicas, CancellationToken cancellationToken)
    {
        // One whose controller was an earlier app of this name counts too: that app is gone, or this one could not exist.
        var strays = replicas.Where(replica => !writes.IsDeleting(replica)
            && replica.GetLabel(Labels.App) == app.Metadata.Name
            && (replica.GetController() is not { } owner || (owner.Kind == WebApp.KubeKind && owner.Name == app.Metadata.Name && owner.Uid != app.Metadata.Uid)));
        foreach (var stray in strays.ToList())
        {
            await writes.AdoptAsync(app, stray, cancellationToken);
            Log.Adopted(logger, stray.Metadata.NamespaceProperty, stray.Metadata.Name, app.Metadata.Name);
            events.Record(app, EventTypes.Normal, WebAppReasons.Adopted, $"adopted replica {stray.Metadata.Name}");
        }
    }

    private async Task<List<ReplicaView>> ViewAsync(WebApp app, string revision, CancellationToken cancellationToken)
    {
        var hosts = new Dictionary<string, DockerHost?>(StringComparer.Ordinal);
        var views = new List<ReplicaView>();
        var now = time.GetUtcNow();
        var key = ReplicaIndexes.AppKey(app.Metadata.NamespaceProperty, app.Metadata.Name);
        foreach (var replica in informers.Replicas.ByIndex(ReplicaIndexes.ByApp, key))
        {
            if (writes.IsDeleting(replica) || replica.GetController()?.Uid != app.Metadata.Uid)
            {
                continue;
            }

            DockerHost? host = null;
            if (replica.Spec.HostName is { } name && !hosts.TryGetValue(name, out host))
            {
                // Not in the cache may mean that the cache of hosts is behind that of Replicas: ask before replacing anything.
                host = informers.Hosts.Get(new(null, name)) ?? await informers.HostClient.GetAsync(new(null, name), cancellationToken);
                hosts.Add(name, host);
            }

            views.Add(ReplicaView.Of(replica, app, revision, host, replica.Spec.HostName is not null && host is null, now));
        }

        return views;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Namespace}/{Name} had no WebApp; {App} has adopted it")]
        public static partial void Adopted(ILogger logger, string @namespace, string name, string app);
    }
}
