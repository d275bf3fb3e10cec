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
        // As in Kubernetes, a run that has not had its postStart hook is not looked at.
        var hooked = replica.Spec.Template.Lifecycle?.PostStart is null || record is { PostStartDue: false, PostStartFailure: null };
        if (record.Container is { State: ContainerState.Running or ContainerState.Paused } container && replica.Metadata.DeletionTimestamp is null && hooked)
        {
            var target = new ProbeTarget(host.Spec.EffectiveAddress, replica.Spec.HostPort!.Value, container.Id);
            if (record.Probes?.AreOf(container, target) != true)
            {
                var started = HasStarted(record, replica, container);
                record.Probes?.Dispose();
                record.Probes = Start(record, replica, container, target, started, now);
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

    private ReplicaProbes Start(
        ReplicaRecord record, Replica replica, ContainerSnapshot container, ProbeTarget target, bool started, DateTimeOffset now)
    {
        record.UnhealthyTold = false;
        var ready = IsOf(replica.Status, container) && replica.Status is { Ready: true } status && status.Address == target.Address;
        return prober.Start(
            replica.Spec.Template, record.Uid, container, target, ready, started, now - (record.History.RunSeenAt ?? now), () => onVerdict(record.Key));
    }

    /// <summary>Once started it has, at any address, and whoever saw it: no later probe may restart it for being slow to start.</summary>
    private static bool HasStarted(ReplicaRecord record, Replica replica, ContainerSnapshot container) =>
        (record.Probes is { HasStarted: true } probes && probes.AreOf(container))
        || (IsOf(replica.Status, container) && replica.Status is { Ready: true } or { Probes.Startup.Result: ProbeResults.Passing });

    private static bool IsOf(ReplicaStatus? status, ContainerSnapshot run) =>
        status is not null && status.ContainerId == run.Id && status.StartedAt == run.StartedAt?.UtcDateTime;

    private void TellUnhealthy(ReplicaRecord record, Replica replica, ReplicaProbes probes)
    {
        if (probes is { Readiness.Failures: 0, Liveness: null or { Failures: 0 }, Startup: null or { Failures: 0 } })
        {
            record.UnhealthyTold = false;
            return;
        }

        var (kind, verdict) = probes.Liveness is { IsWorthTelling: true } liveness ? ("Liveness", liveness)
            : probes.Startup is { IsWorthTelling: true } startup ? ("Startup", startup)
            : ("Readiness", probes.Readiness);
        if (!record.UnhealthyTold && verdict.IsWorthTelling)
        {
            record.UnhealthyTold = true;
            events.Record(replica, EventTypes.Warning, "Unhealthy", $"{kind} probe failed: {verdict.Message}");
        }
    }
}
