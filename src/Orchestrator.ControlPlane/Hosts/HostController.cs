using Microsoft.Extensions.Logging;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>Feeds the host reconciler: which change concerns which host.</summary>
internal sealed class HostController : IDisposable
{
    private const int Workers = 2;

    /// <summary>Sums are for reading: many bindings at once are one write.</summary>
    private static readonly TimeSpan SumAfter = TimeSpan.FromMilliseconds(200);

    private readonly SharedInformers _informers;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcileLoop<ObjectKey> _loop;

    public HostController(SharedInformers informers, IEventRecorder events, ILoggerFactory loggers, TimeProvider time)
    {
        _informers = informers;
        _queue = new WorkQueue<ObjectKey>("dockerhost", time);
        var logger = loggers.CreateLogger<HostController>();
        _loop = new ReconcileLoop<ObjectKey>(_queue, new HostReconciler(informers, events, logger, time).ReconcileAsync, Workers, logger, time);
        informers.Hosts.Subscribe(change => _queue.Add(change.Key));
        informers.Replicas.Subscribe(OnReplica);
    }

    /// <summary>Works until cancelled. The informers have synced.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var host in _informers.Hosts.Items.Keys)
        {
            _queue.Add(host);
        }

        // Hosts that are gone may have left Replicas behind.
        foreach (var name in _informers.Replicas.Items.Values.Select(replica => replica.Spec.HostName).OfType<string>().Distinct())
        {
            _queue.Add(new ObjectKey(null, name));
        }

        return _loop.RunAsync(cancellationToken);
    }

    public void Dispose() => _queue.Dispose();

    private void OnReplica(InformerEvent<Replica> change)
    {
        if (change is { Old: { } old, New: { } now }
            && old.Spec.HostName == now.Spec.HostName
            && old.Metadata.DeletionTimestamp == now.Metadata.DeletionTimestamp)
        {
            return;
        }

        if ((change.New ?? change.Old)?.Spec.HostName is { } host)
        {
            _queue.AddAfter(new ObjectKey(null, host), SumAfter);
        }
    }
}
