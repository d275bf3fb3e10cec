using System.Runtime.ExceptionServices;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Certificates;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Rebalancing;
using Orchestrator.ControlPlane.WebApps.Contents;
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
    RevisionTemplates templates,
    AppContents contents,
    RouteConflicts conflicts,
    ListenerErrors listenerErrors,
    CertificateStates certificates,
    CanaryObservations observations,
    HostOutages outages,
    Moves moves,
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
        await writes.RepeatLostDeletionsAsync(replicas, cancellationToken);
        if (informers.WebApps.Get(key) is not { } app)
        {
            statuses.Forget(key);
            contents.Forget(key);
            moves.Forget(key);
            WebAppMetrics.Remove(key);
            return await finalizing.DeleteOrphansAsync(key, replicas, cancellationToken);
        }

        if (app.Metadata.DeletionTimestamp is not null)
        {
            return await finalizing.FinalizeAsync(app, replicas, cancellationToken);
        }

        app = await finalizing.EnsureFinalizerAsync(app, cancellationToken);
        await AdoptAsync(app, replicas, cancellationToken);

        var content = await contents.LookAsync(app, cancellationToken);
        var look = await LookAsync(app, RolloutTarget.Of(app, content), cancellationToken);
        if (await TakeBackAsync(app, look, content, cancellationToken) is { } takenBack)
        {
            app = takenBack;
            look = await LookAsync(app, RolloutTarget.Of(app, content), cancellationToken);
        }

        app = await TakeOffSpentAsync(app, look.Target, cancellationToken);
        var notKept = await KeepContentAsync(app, look.Target, cancellationToken);
        if (notKept is not null)
        {
            // As if it were not there: nothing rolls, and what runs is scaled and healed.
            content = content with { Problem = new(WebAppReasons.FailedCreate, notKept.Message) };
            look = await LookAsync(app, RolloutTarget.Of(app, content), cancellationToken);
        }

        var failure = await ActAsync(app, look, PlanOf(app, look), cancellationToken);
        var after = await LookAsync(app, look.Target, cancellationToken);
        var listening = listenerErrors.Of(app);
        var lookAgain = await statuses.WriteAsync(
            InputOf(app, after, content, listening.Errors) with { IsKept = failure.Keep is null, CreateFailure = failure.Create?.Message }, cancellationToken);
        if ((failure.Create ?? failure.Keep ?? notKept) is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
        }

        var soonest = after.Live.Concat(after.Lost).Select(view => view.RecheckAfter)
            .Append(lookAgain)
            .Append(after.Course.RecheckAfter)
            .Append(listening.RecheckAfter)
            .Append(failure.LostRace ? AfterLostRace : null)
            .Min();
        return ReconcileResult.After(soonest ?? Resync);
    }

    /// <summary>What there is of an app, judged by its target.</summary>
    private async Task<Look> LookAsync(WebApp app, RolloutTarget target, CancellationToken cancellationToken)
    {
        var (live, lost) = await ViewAsync(app, target, cancellationToken);
        var now = time.GetUtcNow();
        live = moves.Mark(app, target, live, lost, now);
        var canary = CanaryCourse.Of(app, target, live, observations.Of(app), now);
        var othersStop = OthersStop(app, target);
        var waits = RolloutLimits.Of(app).Recreate && (othersStop || live.Exists(view => view.IsOfOtherRevision));
        return new(target, live, lost, canary, RolloutCourse.Of(app, target, live, canary, waits, now), othersStop);
    }

    /// <summary>
    /// Gives a rollout up that has failed. It is written down before anything is done about it: whatever happens then, the
    /// revision is not tried again.
    /// </summary>
    /// <returns>The app with its new status; null when nothing is to be taken back, or there is nothing to go back to.</returns>
    private async Task<WebApp?> TakeBackAsync(WebApp app, Look look, AppContent content, CancellationToken cancellationToken)
    {
        if (app.Status?.CurrentRevision is not { } stable
            || look.Course.Failure is not { } failure
            || !(failure.Reason == RolloutCourse.Aborted || (app.Spec.AutoRollback ?? true))
            || await templates.FindAsync(app, look.Target, stable, look.Live, cancellationToken) is not { } template
            || !contents.Has(app, stable, template))
        {
            return null;
        }

        await statuses.WriteAsync(InputOf(app, look, content, listenerErrors.Of(app).Errors) with { TakenBackFor = failure }, cancellationToken);
        return informers.WebApps.Get(ObjectKey.Of(app));
    }

    private RollupInput InputOf(WebApp app, Look look, AppContent content, IReadOnlyList<string> errors) => new(app, look.Target, look.Live)
    {
        Course = look.Course,
        Lost = look.Lost.Count,
        ContentHash = content.Live,
        LostClaims = conflicts.LostBy(app),
        ListenerErrors = errors,
        Certificate = certificates.Of(ObjectKey.Of(app)),
    };

    private static RolloutPlan PlanOf(WebApp app, Look look)
    {
        var limits = RolloutLimits.Of(app);
        var isHeld = look.Target.IsPaused && look.Live.DistinctBy(view => view.Replica.Spec.Revision).Skip(1).Any();
        return RolloutPlan.Make(
            limits with
            {
                OthersStop = look.OthersStop,
                Held = isHeld ? limits.MaxSurge : 0,
                Returning = look.Lost.Count(view => view is { IsReturning: true, IsOfOtherRevision: false }),
                Canaries = look.Target.Canary is null ? 0 : look.Canary?.ReplicasWanted(app) ?? 0,
            },
            [.. look.Live.Select(view => view.State)])
            .WithLost(limits.Desired, [.. look.Lost.Select(view => view.State)]);
    }

    /// <summary>Whether replicas of another revision than the one to run are being stopped.</summary>
    private bool OthersStop(WebApp app, RolloutTarget target) => informers.Replicas
        .ByIndex(ReplicaIndexes.ByApp, ReplicaIndexes.AppKey(app.Metadata.NamespaceProperty, app.Metadata.Name))
        .Any(replica => writes.IsDeleting(replica) && target.Replaces(replica.Spec.Revision));

    private async Task<(Exception? Create, Exception? Keep, bool LostRace)> ActAsync(
        WebApp app, Look look, RolloutPlan plan, CancellationToken cancellationToken)
    {
        var (target, live) = (look.Target, look.Live);
        var isNew = target.Update is not null && app.Status?.UpdateRevision != target.Update;
        if (isNew && app.Status?.UpdateRevision is { } old)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.RolloutStarted, $"replacing revision {old} by {target.Update}");
        }

        var keeping = isNew ? KeepAsync(app, target.Update!, target.Template!, live, cancellationToken) : Task.FromResult<Exception?>(null);
        var deleting = DeleteAsync(app, [.. live, .. look.Lost], plan, cancellationToken);
        var creating = CreateAsync(app, target, target.Run, live, plan.Create, cancellationToken);
        var trying = CreateAsync(app, target, target.Canary, live, plan.CreateCanaries, cancellationToken);

        if (plan.Create > 0 && look.Lost.Where(view => view.IsLost).ToList() is { Count: > 0 } lost)
        {
            events.Record(app, EventTypes.Warning, WebAppReasons.ReplicasLost, $"{Names(lost)} went with silent hosts: others are made in their place");
        }

        // All of them, also when one fails: none may still be at work when the app is looked at again.
        await Task.WhenAll(keeping, deleting, creating, trying);
        var (created, failure) = await creating;
        var (tried, failureToTry) = await trying;
        failure ??= failureToTry;
        if (failure is not null)
        {
            events.Record(app, EventTypes.Warning, WebAppReasons.FailedCreate, failure.Message);
        }

        return (failure, await keeping, failure is null && created + tried < plan.Create + plan.CreateCanaries);
    }

    private async Task<(int Created, Exception? Failure)> CreateAsync(
        WebApp app, RolloutTarget target, string? revision, IReadOnlyList<ReplicaView> live, int count, CancellationToken cancellationToken)
    {
        if (count == 0 || revision is null)
        {
            return (count, null);
        }

        if (await templates.FindAsync(app, target, revision, live, cancellationToken) is not { } template)
        {
            return (0, new RevisionLostException(app, revision));
        }

        if (!contents.Has(app, revision, template))
        {
            return (0, new ContentLostException(app, revision));
        }

        var (created, failure) = await writes.CreateAsync(app, revision, template, count, cancellationToken);
        if (created > 0)
        {
            events.Record(app, EventTypes.Normal, WebAppReasons.ScaledUp, $"created {created} of {app.DesiredReplicas} replicas of revision {revision}");
        }

        return (created, failure);
    }

    /// <summary>The history is for later: a failure to write it must not hold up the replicas, only be tried again.</summary>
    private async Task<Exception?> KeepAsync(
        WebApp app, string revision, ReplicaTemplate template, IReadOnlyList<ReplicaView> live, CancellationToken cancellationToken)
    {
        try
        {
            var inUse = live.Select(view => view.Replica.Spec.Revision).Append(app.Status?.CurrentRevision ?? revision).ToHashSet();
            var kept = await history.EnsureAsync(app, revision, template, inUse, cancellationToken);
            await contents.DropOthersAsync(app, kept.Union(inUse).ToHashSet(StringComparer.Ordinal), cancellationToken);
            return null;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            return failure;
        }
    }

    /// <summary>Before a revision is written down or run: nothing may be made of it that could not be made again.</summary>
    private async Task<Exception?> KeepContentAsync(WebApp app, RolloutTarget target, CancellationToken cancellationToken)
    {
        try
        {
            await contents.KeepAsync(app, target, cancellationToken);
            return null;
        }
        catch (Exception failure) when (failure is not ContentChangedException && !cancellationToken.IsCancellationRequested)
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
    }

    private static string Names(IEnumerable<ReplicaView> views)
    {
        var names = views.Select(view => view.Replica.Metadata.Name).ToList();
        return names.Count <= 3 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(3))} and {names.Count - 3} more";
    }

    /// <summary>Takes off what its user has asked for and got, or cannot get any more.</summary>
    private async Task<WebApp> TakeOffSpentAsync(WebApp app, RolloutTarget target, CancellationToken cancellationToken)
    {
        if (RolloutCommands.Spent(app, target) is not { Count: > 0 } spent)
        {
            return app;
        }

        var patch = new { metadata = new { resourceVersion = app.Metadata.ResourceVersion, annotations = spent.ToDictionary(name => name, _ => (string?)null) } };
        var written = await informers.WebAppClient.MergePatchAsync(ObjectKey.Of(app), patch, cancellationToken);
        informers.WebApps.Seed(written);
        return written;
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

    /// <summary>The replicas that are not being deleted; those that an outage of their host has taken away apart.</summary>
    private async Task<(List<ReplicaView> Live, List<ReplicaView> Lost)> ViewAsync(WebApp app, RolloutTarget target, CancellationToken cancellationToken)
    {
        var hosts = new Dictionary<string, DockerHost?>(StringComparer.Ordinal);
        var (live, lost) = (new List<ReplicaView>(), new List<ReplicaView>());
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

            var view = ReplicaView.Of(replica, app, target, host, replica.Spec.HostName is not null && host is null, outages, now);
            (view.IsLost || view.IsReturning ? lost : live).Add(view);
        }

        return (live, lost);
    }

    /// <param name="Live">Its replicas that are not being deleted.</param>
    /// <param name="Lost">Those of them that an outage of their host has taken away, until they serve again; not among the live.</param>
    /// <param name="Canary">Null when the target's revision is none.</param>
    /// <param name="OthersStop">Replicas of another revision than the one to run are being stopped.</param>
    private sealed record Look(
        RolloutTarget Target, List<ReplicaView> Live, List<ReplicaView> Lost, CanaryCourse? Canary, RolloutCourse Course, bool OthersStop);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Namespace}/{Name} had no WebApp; {App} has adopted it")]
        public static partial void Adopted(ILogger logger, string @namespace, string name, string app);
    }
}
