using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>
/// Stands in for the host agents, with no engine: a bound Replica gets the status that <see cref="StatusOf"/> gives it, a deleted
/// one loses its finalizer. Test code only.
/// </summary>
internal sealed class TestAgent : IDisposable
{
    private readonly SharedInformers _informers;
    private readonly Dictionary<(string Host, int? Port), string> _listening = [];
    private readonly WorkQueue<ObjectKey> _queue = new("test-agent", TimeProvider.System);
    private readonly ReconcileLoop<ObjectKey> _loop;

    public TestAgent(SharedInformers informers)
    {
        _informers = informers;
        StatusOf = Start;
        _loop = new ReconcileLoop<ObjectKey>(_queue, ReconcileAsync, 8, NullLogger.Instance, TimeProvider.System);
        informers.Replicas.Subscribe(change => _queue.Add(change.Key));
    }

    /// <summary>What becomes of a bound Replica; null leaves it as it is. Default: <see cref="Start"/>.</summary>
    public Func<Replica, ReplicaStatus?> StatusOf { get; set; }

    /// <summary>Whether deleted Replicas may go.</summary>
    public bool Stops { get; set; } = true;

    public static ReplicaStatus Ready(Replica replica) => new()
    {
        Phase = ReplicaPhases.Running, Ready = true, Address = "127.0.0.1", Port = replica.Spec.HostPort,
    };

    /// <summary>As an engine does: it runs and is ready, unless another has its port.</summary>
    public ReplicaStatus Start(Replica replica)
    {
        lock (_listening)
        {
            var place = (replica.Spec.HostName!, replica.Spec.HostPort);
            return _listening.TryAdd(place, replica.Metadata.Uid) || _listening[place] == replica.Metadata.Uid
                ? Ready(replica)
                : Failing(ReplicaView.PortUnavailable, "port is already allocated");
        }
    }

    public static ReplicaStatus Failing(string reason, string message) => new() { Phase = ReplicaPhases.BackOff, Reason = reason, Message = message };

    public Task RunAsync(CancellationToken cancellationToken) => _loop.RunAsync(cancellationToken);

    /// <summary>Looks at all Replicas again, after its behaviour was changed.</summary>
    public void LookAgain()
    {
        foreach (var key in _informers.Replicas.Items.Keys)
        {
            _queue.Add(key);
        }
    }

    public void Dispose() => _queue.Dispose();

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_informers.Replicas.Get(key) is not { Spec.HostName: not null } replica)
        {
            return ReconcileResult.Done;
        }

        try
        {
            if (replica.Metadata.DeletionTimestamp is not null)
            {
                if (Stops && replica.Metadata.Finalizers?.Contains(Finalizers.Container) == true)
                {
                    lock (_listening)
                    {
                        var place = (replica.Spec.HostName!, replica.Spec.HostPort);
                        if (_listening.GetValueOrDefault(place) == replica.Metadata.Uid)
                        {
                            _listening.Remove(place);
                        }
                    }

                    var finalizers = replica.Metadata.Finalizers.Where(name => name != Finalizers.Container);
                    await _informers.ReplicaClient.MergePatchAsync(key, new { metadata = new { finalizers } }, cancellationToken);
                }
            }
            else if (StatusOf(replica) is { } status && (status.Phase, status.Reason, status.Ready) != (replica.Status?.Phase, replica.Status?.Reason, replica.Status?.Ready ?? false))
            {
                await _informers.ReplicaClient.MergePatchStatusAsync(key, new { status }, cancellationToken);
            }
        }
        catch (NotFoundException)
        {
            // Gone meanwhile.
        }

        return ReconcileResult.Done;
    }
}
