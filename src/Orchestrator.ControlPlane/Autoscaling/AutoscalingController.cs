using Microsoft.Extensions.Logging;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>Feeds the autoscaler: each app that has autoscaling, once a period, and at once when it changed or somebody waits for it.</summary>
internal sealed class AutoscalingController : IDisposable
{
    /// <summary>Apps looked at together: some metrics are asked for elsewhere, and slow.</summary>
    private const int Workers = 8;

    private readonly SharedInformers _informers;
    private readonly AutoscalingReconciler _reconciler;
    private readonly PrometheusClient _prometheus;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcileLoop<ObjectKey> _loop;

    public AutoscalingController(
        SharedInformers informers, ProxyTraffic traffic, IUsageSource usage, IEventRecorder events, ILoggerFactory loggers, TimeProvider time)
    {
        _informers = informers;
        _queue = new WorkQueue<ObjectKey>("autoscaling", time);
        _prometheus = new PrometheusClient(time);
        _reconciler = new AutoscalingReconciler(informers, traffic, new ReplicaMeasurements(informers, usage, time), _prometheus, events, time);
        _loop = new ReconcileLoop<ObjectKey>(_queue, _reconciler.ReconcileAsync, Workers, loggers.CreateLogger<AutoscalingController>(), time);
        informers.WebApps.Subscribe(OnWebApp);
        traffic.Waits = app =>
        {
            if (informers.WebApps.Get(app) is { DesiredReplicas: 0 })
            {
                _queue.Add(app);
            }
        };
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        _reconciler.ForgetAll();
        foreach (var (key, app) in _informers.WebApps.Items)
        {
            if (app.Spec.Autoscaling is not null)
            {
                _queue.Add(key);
            }
        }

        return _loop.RunAsync(cancellationToken);
    }

    public void Dispose()
    {
        _queue.Dispose();
        _prometheus.Dispose();
    }

    private void OnWebApp(InformerEvent<WebApp> change)
    {
        var (old, now) = (change.Old, change.New);
        if ((old?.Spec.Autoscaling ?? now?.Spec.Autoscaling) is not null && old?.Metadata.Generation != now?.Metadata.Generation)
        {
            _queue.Add(change.Key);
        }
    }
}
