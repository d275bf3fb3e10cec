using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Probing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;

namespace Orchestrator.HostAgent.Containers;

/// <summary>
/// Keeps the probes of each Replica those of the run that runs, at the address that proxies are told, and tells when they fail.
/// </summary>
/// <param name="onVerdict">Told the key of the Replica whose probes have found something.</param>
internal sealed class ProbeKeeper(Prober prober, Action<ObjectKey> onVerdict, IEventRecorder events)
{
    /// <summary>To be called by the reconcile of the record's key.</summary>
    public void Keep(ReplicaRecord record, Replica replica, DockerHost host, DateTimeOffset now)
    {
        if (record.Container is { State: ContainerState.Running or ContainerState.Paused } container && replica.Metadata.DeletionTimestamp is null)
        {
            var target = new ProbeTarget(host.Spec.EffectiveAddress, replica.Spec.HostPort!.Value, container.Id);
            if (record.Probes?.AreOf(container, target) != true)
            {
                record.Probes?.Dispose();
                record.Probes = Start(record, replica, container, target, now);
            }
        }
        else
        {
            record.Probes?.Dispose();
            record.Probes = null;
        }

        if (record.Probes is { } probes)
        {
            record.EverReady |= probes.Readiness.EverPassed;
            TellUnhealthy(record, replica, probes);
        }
    }

    private ReplicaProbes Start(ReplicaRecord record, Replica replica, ContainerSnapshot container, ProbeTarget target, DateTimeOffset now)
    {
        record.UnhealthyTold = false;
        var adopted = replica.Status is { Ready: true } status
            && status.ContainerId == container.Id
            && status.StartedAt == container.StartedAt?.UtcDateTime
            && status.Address == target.Address;
        return prober.Start(
            replica.Spec.Template, record.Uid, container, target, adopted, now - (record.History.RunSeenAt ?? now), () => onVerdict(record.Key));
    }

    private void TellUnhealthy(ReplicaRecord record, Replica replica, ReplicaProbes probes)
    {
        if (probes.Readiness.Failures == 0 && probes.Liveness is null or { Failures: 0 })
        {
            record.UnhealthyTold = false;
        }
        else if (!record.UnhealthyTold && (probes.ReadinessIsWorthTelling || probes.LivenessIsWorthTelling))
        {
            record.UnhealthyTold = true;
            var (kind, message) = probes.LivenessIsWorthTelling ? ("Liveness", probes.Liveness!.Message) : ("Readiness", probes.Readiness.Message);
            events.Record(replica, EventTypes.Warning, "Unhealthy", $"{kind} probe failed: {message}");
        }
    }
}
