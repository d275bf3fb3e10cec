using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps.Contents;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// The end of a WebApp: its Replicas go first, each by draining; then its history with the contents, then the finalizer. Nothing here relies on a
/// garbage collector, and one that runs is not in the way.
/// </summary>
internal sealed partial class WebAppFinalizing(
    SharedInformers informers, ReplicaWrites writes, RevisionHistory history, KeptContents contents, WebAppStatusWriter statuses, ILogger logger)
{
    /// <summary>Kubernetes' finalizer for <c>--cascade=orphan</c>: the dependents are to stay.</summary>
    private const string OrphanFinalizer = "orphan";

    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(1);

    public async Task<WebApp> EnsureFinalizerAsync(WebApp app, CancellationToken cancellationToken)
    {
        if (app.Metadata.Finalizers?.Contains(Finalizers.Replicas) ?? false)
        {
            return app;
        }

        var written = await WriteFinalizersAsync(app, [.. app.Metadata.Finalizers ?? [], Finalizers.Replicas], cancellationToken);
        informers.WebApps.Seed(written);
        return written;
    }

    public async Task<ReconcileResult> FinalizeAsync(WebApp app, IReadOnlyCollection<Replica> replicas, CancellationToken cancellationToken)
    {
        if (!(app.Metadata.Finalizers?.Contains(Finalizers.Replicas) ?? false))
        {
            return ReconcileResult.Done;
        }

        var owned = replicas.Where(replica => replica.GetController()?.Uid == app.Metadata.Uid).ToList();
        var orphaned = new HashSet<string>(StringComparer.Ordinal);
        if (app.Metadata.Finalizers.Contains(OrphanFinalizer))
        {
            orphaned.UnionWith(replicas.Where(replica => replica.GetController() is null).Concat(owned).Select(replica => replica.Spec.Revision));
            foreach (var replica in owned)
            {
                await writes.ReleaseAsync(replica, cancellationToken);
            }
        }
        else
        {
            if (owned.Count == 0 || !owned.TrueForAll(writes.IsDeleting))
            {
                owned = await ListOwnedAsync(app, cancellationToken);
            }

            if (owned.Count > 0)
            {
                await writes.DeleteAsync(owned.Where(replica => !writes.IsDeleting(replica)), cancellationToken);
                var lookAgain = await WriteStatusAsync(app, owned.Count, cancellationToken);
                return ReconcileResult.After(lookAgain ?? Resync);
            }
        }

        // Replicas that stay are made anew, after a loss of their container, from what was kept of their revision.
        await contents.DeleteAllAsync(app, orphaned, cancellationToken);
        await history.DeleteAllAsync(app, cancellationToken);
        await WriteFinalizersAsync(app, [.. app.Metadata.Finalizers.Where(name => name != Finalizers.Replicas)], cancellationToken);
        Log.Finalized(logger, app.Metadata.NamespaceProperty, app.Metadata.Name);
        return ReconcileResult.Done;
    }

    /// <summary>
    /// Deletes Replicas whose WebApp went without them (its finalizer was removed by hand). Those that have no controller were left
    /// alone on purpose, and are.
    /// </summary>
    public async Task<ReconcileResult> DeleteOrphansAsync(ObjectKey app, IReadOnlyCollection<Replica> replicas, CancellationToken cancellationToken)
    {
        var orphans = replicas.Where(replica => replica.GetController()?.Kind == WebApp.KubeKind && !writes.IsDeleting(replica)).ToList();
        if (orphans.Count > 0 && await informers.WebAppClient.GetAsync(app, cancellationToken) is null)
        {
            Log.Orphans(logger, app.Namespace, app.Name, orphans.Count);
            await writes.DeleteAsync(orphans, cancellationToken);
        }

        return ReconcileResult.Done;
    }

    /// <summary>
    /// Asks the server itself: for Replicas that the cache has not seen yet nobody would look after the finalizer is gone, and those that a
    /// garbage collector has just orphaned, before it took its own finalizer off the app, are not the app's any more.
    /// </summary>
    private async Task<List<Replica>> ListOwnedAsync(WebApp app, CancellationToken cancellationToken)
    {
        var found = await informers.ReplicaClient.ListAsync(
            app.Metadata.NamespaceProperty, StatusRollup.Selector(app.Metadata.Name), cancellationToken);
        foreach (var replica in found.Items)
        {
            informers.Replicas.Seed(replica);
        }

        return [.. found.Items.Where(replica => replica.GetController()?.Uid == app.Metadata.Uid)];
    }

    private Task<TimeSpan?> WriteStatusAsync(WebApp app, int owned, CancellationToken cancellationToken) => statuses.WriteAsync(
        new RollupInput(app, RolloutTarget.Of(app, app.Spec.HasReferences ? AppContent.Unknown : AppContent.None), []) { Draining = owned }, cancellationToken);

    private Task<WebApp> WriteFinalizersAsync(WebApp app, List<string> finalizers, CancellationToken cancellationToken) =>
        informers.WebAppClient.MergePatchAsync(
            ObjectKey.Of(app),
            new { metadata = new { resourceVersion = app.Metadata.ResourceVersion, finalizers } },
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "WebApp {Namespace}/{Name} and all its replicas are gone")]
        public static partial void Finalized(ILogger logger, string @namespace, string name);

        [LoggerMessage(Level = LogLevel.Warning, Message = "WebApp {Namespace}/{Name} is gone without its {Count} replicas; deleting them")]
        public static partial void Orphans(ILogger logger, string? @namespace, string name, int count);
    }
}
