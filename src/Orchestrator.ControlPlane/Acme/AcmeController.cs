using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Certificates;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>Feeds the ACME reconciler: which change concerns which app.</summary>
internal sealed class AcmeController : IDisposable
{
    /// <summary>Each is busy with an order from its beginning to its end, mostly in waiting for the authority.</summary>
    private const int Workers = 8;

    private readonly SharedInformers _informers;
    private readonly HeldHosts _hosts;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcileLoop<ObjectKey> _loop;
    private readonly Authority? _authority;

    /// <param name="options">Null: no authority is configured, and apps are told so.</param>
    public AcmeController(
        SharedInformers informers,
        LiveProxies proxies,
        AcmeOptions? options,
        CertificateStates orders,
        IKubernetes kubernetes,
        IEventRecorder events,
        ILoggerFactory loggers,
        TimeProvider time)
    {
        _informers = informers;
        _hosts = new HeldHosts(informers.WebApps);
        _queue = new WorkQueue<ObjectKey>("acme", time);
        var client = new ContentClient(kubernetes, Controllers.FieldManager);
        _authority = options is null ? null : new Authority(
            options, new AcmeClient(options.Directory, AcmeClient.NewHandler(options.Authorities), time), new AccountKeys(kubernetes, client), time);
        var reconciler = new AcmeReconciler(
            informers, _hosts, _authority, new Challenges(kubernetes, client, proxies, time), client, orders, events, time, new Random(Environment.ProcessId));
        _loop = new ReconcileLoop<ObjectKey>(_queue, reconciler.ReconcileAsync, Workers, loggers.CreateLogger<AcmeController>(), time);
        informers.WebApps.Subscribe(OnWebApp);
        informers.Secrets.Subscribe(OnSecret);
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, app) in _informers.WebApps.Items)
        {
            if (IsOrdered(app))
            {
                _queue.Add(key);
            }
        }

        // Orders that broke off with an earlier process, of apps that are gone, may have left theirs.
        foreach (var secret in _informers.Secrets.Items.Keys)
        {
            AddOwner(secret);
        }

        return _loop.RunAsync(cancellationToken);
    }

    public void Dispose()
    {
        _queue.Dispose();
        _authority?.Dispose();
    }

    private static bool IsOrdered(WebApp? app) => app?.Spec.Route?.Tls is { IsOrdered: true };

    private void OnWebApp(InformerEvent<WebApp> change)
    {
        var (old, now) = (change.Old, change.New);
        if (old?.Metadata.Generation == now?.Metadata.Generation && old?.Metadata.Uid == now?.Metadata.Uid
            && old?.Metadata.DeletionTimestamp == now?.Metadata.DeletionTimestamp)
        {
            return;
        }

        if (IsOrdered(old) || IsOrdered(now))
        {
            _queue.Add(change.Key);
        }

        foreach (var other in _hosts.AffectedBy(change))
        {
            _queue.Add(other);
        }
    }

    /// <summary>One that somebody has changed or removed, or that is no longer in an app's way.</summary>
    private void OnSecret(InformerEvent<V1Secret> change)
    {
        if (AcmeCertificates.AppOf(change.Key.Name) is { } name
            && new ObjectKey(change.Key.Namespace, name) is var app && IsOrdered(_informers.WebApps.Get(app)))
        {
            _queue.Add(app);
        }
    }

    private void AddOwner(ObjectKey secret)
    {
        if (secret.Namespace == ApiGroup.ProxyNamespace && ProxySecrets.ChallengedAppOf(secret.Name) is var (@namespace, app))
        {
            _queue.Add(new(@namespace, app));
        }
    }
}
