using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Certificates;

/// <summary>Feeds the certificate reconciler: which change concerns which app.</summary>
internal sealed class CertificateController : IDisposable
{
    private const int Workers = 4;

    /// <summary>Index of the WebApps by the Secrets that their routes name.</summary>
    private const string BySecret = "route-secret";

    private readonly SharedInformers _informers;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcileLoop<ObjectKey> _loop;

    /// <param name="orders">What is told of orders of certificates.</param>
    /// <param name="states">What is told of the apps' certificates.</param>
    public CertificateController(SharedInformers informers, IKubernetes kubernetes, CertificateStates orders, CertificateStates states, ILoggerFactory loggers, TimeProvider time)
    {
        _informers = informers;
        _queue = new WorkQueue<ObjectKey>("certificate", time);
        var reconciler = new CertificateReconciler(informers, kubernetes, new ContentClient(kubernetes, Controllers.FieldManager), orders, states, time);
        _loop = new ReconcileLoop<ObjectKey>(_queue, reconciler.ReconcileAsync, Workers, loggers.CreateLogger<CertificateController>(), time);
        informers.WebApps.AddIndex(BySecret, app => SecretsOf(app).Select(name => $"{app.Metadata.NamespaceProperty}/{name}").Distinct());
        informers.WebApps.Subscribe(OnWebApp);
        informers.Secrets.Subscribe(OnSecret);
        orders.Changed = app => _queue.Add(app);
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, app) in _informers.WebApps.Items)
        {
            if (app.Spec.Route?.Tls is not null)
            {
                _queue.Add(key);
            }
        }

        // Apps that are gone may have left theirs behind.
        foreach (var secret in _informers.Secrets.Items.Keys)
        {
            AddOwner(secret);
        }

        return _loop.RunAsync(cancellationToken);
    }

    public void Dispose() => _queue.Dispose();

    private static IEnumerable<string> SecretsOf(WebApp app) =>
        new[] { app.Spec.Route?.Tls?.SecretNameFor(app.Metadata.Name), app.Spec.Route?.Tls?.ClientAuth?.SecretName }.OfType<string>();

    private void OnWebApp(InformerEvent<WebApp> change)
    {
        var (old, now) = (change.Old, change.New);
        if ((old?.Spec.Route?.Tls is not null || now?.Spec.Route?.Tls is not null)
            && (old?.Metadata.Generation != now?.Metadata.Generation || old?.Metadata.Uid != now?.Metadata.Uid
                || old?.Metadata.DeletionTimestamp != now?.Metadata.DeletionTimestamp))
        {
            _queue.Add(change.Key);
        }
    }

    private void OnSecret(InformerEvent<V1Secret> change)
    {
        AddOwner(change.Key);
        foreach (var app in _informers.WebApps.ByIndex(BySecret, $"{change.Key.Namespace}/{change.Key.Name}"))
        {
            _queue.Add(ObjectKey.Of(app));
        }
    }

    /// <summary>A Secret that proxies read, changed or removed by anybody, is its app's to put right.</summary>
    private void AddOwner(ObjectKey secret)
    {
        if (secret.Namespace == ApiGroup.ProxyNamespace && ProxySecrets.AppOf(secret.Name) is var (@namespace, app))
        {
            _queue.Add(new(@namespace, app));
        }
    }
}
