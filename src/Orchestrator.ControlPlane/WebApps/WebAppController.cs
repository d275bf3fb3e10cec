using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Certificates;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.Rebalancing;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.ControlPlane.WebApps.Contents;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>Feeds the WebApp reconciler: which change concerns which app.</summary>
internal sealed class WebAppController : IDisposable
{
    /// <summary>Apps reconciled at once. A reconcile waits for the API server most of its time.</summary>
    private const int Workers = 8;

    /// <summary>Index of the WebApps by what they refer to.</summary>
    private const string ByContent = "content";

    private readonly SharedInformers _informers;
    private readonly RouteConflicts _conflicts;
    private readonly ListenerErrors _listenerErrors;
    private readonly HostOutages _outages;
    private readonly TimeProvider _time;
    private readonly ReplicaWrites _writes;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcileLoop<ObjectKey> _loop;

    public WebAppController(
        SharedInformers informers,
        LiveProxies proxies,
        Moves moves,
        IPlacer placer,
        CertificateStates certificates,
        IKubernetes kubernetes,
        IEventRecorder events,
        ILoggerFactory loggers,
        TimeProvider time)
    {
        (_informers, _time) = (informers, time);
        _outages = new HostOutages(() => informers.Hosts.Items.Values);
        _queue = new WorkQueue<ObjectKey>("webapp", time);
        _conflicts = new RouteConflicts(informers.WebApps);
        _listenerErrors = new ListenerErrors(informers, proxies);
        var logger = loggers.CreateLogger<WebAppController>();
        _writes = new ReplicaWrites(informers.Replicas, informers.ReplicaClient, placer);
        var revisions = new ResourceClient<V1ControllerRevision>(kubernetes, Controllers.FieldManager);
        var history = new RevisionHistory(revisions);
        var client = new ContentClient(kubernetes, Controllers.FieldManager);
        var kept = new KeptContents(informers.Secrets, client);
        var contents = new AppContents(new LiveContents(informers, client), kept, events);
        var statuses = new WebAppStatusWriter(informers.WebApps, informers.WebAppClient, events, time);
        var finalizing = new WebAppFinalizing(informers, _writes, history, kept, statuses, logger);
        var reconciler = new WebAppReconciler(
            informers, _writes, history, new RevisionTemplates(revisions), contents, _conflicts, _listenerErrors, certificates, new CanaryObservations(informers),
            _outages, moves, statuses, finalizing, events, logger, time);
        _loop = new ReconcileLoop<ObjectKey>(_queue, reconciler.ReconcileAsync, Workers, logger, time);
        informers.WebApps.AddIndex(ByContent, app => app.Spec.References.Select(reference => IndexValue(app.Metadata.NamespaceProperty, reference.Object)).Distinct());
        informers.WebApps.Subscribe(OnWebApp);
        informers.Replicas.Subscribe(change => _queue.Add(AppOf(change.Object)));
        informers.Hosts.Subscribe(OnHost);
        moves.Begun = app => _queue.Add(app);
        certificates.Changed = app => _queue.Add(app);
        informers.ProxyLeases.Subscribe(OnProxyLease);
        informers.ConfigMaps.Subscribe(change => OnContent(ContentKind.ConfigMap, change));
        informers.Secrets.Subscribe(change => OnContent(ContentKind.Secret, change));
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        _outages.LedSince = _time.GetUtcNow();
        foreach (var app in _informers.WebApps.Items.Keys)
        {
            _queue.Add(app);
        }

        // Apps that are gone may have left Replicas behind.
        foreach (var replica in _informers.Replicas.Items.Values)
        {
            _queue.Add(AppOf(replica));
        }

        return _loop.RunAsync(cancellationToken);
    }

    public void Dispose()
    {
        _queue.Dispose();
        _writes.Dispose();
    }

    private static ObjectKey AppOf(Replica replica) => new(replica.Metadata.NamespaceProperty, replica.Spec.AppName);

    private void OnWebApp(InformerEvent<WebApp> change)
    {
        // A write of the status is our own, but for the autoscaler's.
        if (change is { Old: { } old, New: { } now }
            && old.Metadata.Generation == now.Metadata.Generation
            && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp
            && ContentStandIn.Of(old) == ContentStandIn.Of(now)
            && (old.Metadata.Finalizers ?? []).SequenceEqual(now.Metadata.Finalizers ?? [])
            && old.DesiredReplicas == now.DesiredReplicas
            && RolloutCommands.AreSame(old, now))
        {
            return;
        }

        _queue.Add(change.Key);
        foreach (var rival in _conflicts.AffectedBy(change))
        {
            _queue.Add(rival);
        }
    }

    private void OnProxyLease(InformerEvent<V1Lease> change)
    {
        foreach (var app in _listenerErrors.AffectedBy(change).Concat(CanaryObservations.AffectedBy(change)))
        {
            _queue.Add(app);
        }
    }

    private void OnContent<T>(ContentKind kind, InformerEvent<T> change)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        foreach (var app in _informers.WebApps.ByIndex(ByContent, IndexValue(change.Key.Namespace!, new(kind, change.Key.Name))))
        {
            _queue.Add(ObjectKey.Of(app));
        }

        // The kept content of a revision: it must not stay away.
        if (change.Kind == InformerEventKind.Deleted && change.Object.GetLabel(Labels.App) is { } owner)
        {
            _queue.Add(new(change.Key.Namespace, owner));
        }
    }

    private static string IndexValue(string @namespace, ContentObject obj) => $"{obj.Kind}/{@namespace}/{obj.Name}";

    private void OnHost(InformerEvent<DockerHost> change)
    {
        if (change is { Old: { } old, New: { } now }
            && old.Metadata.Generation == now.Metadata.Generation
            && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp
            && !HostHealth.Differs(old, now))
        {
            return;
        }

        foreach (var replica in _informers.Replicas.ByIndex(ReplicaIndexes.ByHost, change.Key.Name))
        {
            _queue.Add(AppOf(replica));
        }
    }
}
