using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Status;

/// <summary>What the status of a Replica should say, from what is known of it. Pure, but for the record it reads.</summary>
internal static class ReplicaStatusBuilder
{
    /// <param name="drainCheckAt">As in <see cref="ContainerSituation"/>.</param>
    /// <param name="unreachable">Why the engine cannot be reached; null if it can.</param>
    /// <param name="now">For the conditions' transitions.</param>
    public static ReplicaStatus Build(
        Replica replica, ReplicaRecord record, DockerHost host, DateTimeOffset? drainCheckAt, string? unreachable, DateTimeOffset now)
    {
        var deleting = replica.Metadata.DeletionTimestamp is not null;
        var (phase, reason, message) = deleting ? Leaving(record, drainCheckAt, unreachable) : Staying(replica, record, unreachable);
        var running = record.Container is { IsRunning: true } && record.Operation?.Step is not (ContainerStep.Restart or ContainerStep.StopAndRemove);
        var ready = !deleting && running && record.Probes is { Readiness.Passing: true };
        var before = replica.Status;
        return new ReplicaStatus
        {
            Phase = phase,
            Reason = reason,
            Message = message,
            ContainerId = record.Container?.Id,
            Address = host.Spec.EffectiveAddress,
            Port = replica.Spec.HostPort,
            Zone = host.Zone,
            Ready = ready,
            Restarts = record.History.Restarts,
            StartedAt = record.Container is { IsRunning: true, StartedAt: { } started } ? started.UtcDateTime
                : record.Container is null ? null : before?.StartedAt,
            LastTermination = record.History.LastTermination,
            Probes = record.Report.Status,
            Conditions = ConditionsOf(replica, record, ready, deleting, running, now),
        };
    }

    /// <summary>What was last known, and that it is not ready: nobody could reach it.</summary>
    public static ReplicaStatus OfSilentHost(Replica replica, ReplicaStatus known, DateTimeOffset now)
    {
        const string message = "its host does not answer, nor does any replica on it; this is what was last known";

        // What it was not ready for before still holds, as far as anybody knows.
        var reason = known.Ready || UnheardReasons.Explain(known) ? UnheardReasons.HostSilent
            : Conditions.Find(known.Conditions, ConditionTypes.Ready)?.Reason ?? ReplicaReasons.NotYetReady;
        return new ReplicaStatus
        {
            Phase = known.Phase,
            Reason = ReplicaReasons.HostSilent,
            Message = message,
            ContainerId = known.ContainerId,
            Address = known.Address,
            Port = known.Port,
            Zone = known.Zone,
            Ready = false,
            Restarts = known.Restarts,
            StartedAt = known.StartedAt,
            LastTermination = known.LastTermination,
            Probes = known.Probes,
            Conditions =
            [
                .. (known.Conditions ?? []).Where(static condition => condition.Type != ConditionTypes.Ready),
                Conditions.Next(known.Conditions, ConditionTypes.Ready, false, reason, message, replica.Metadata.Generation, now),
            ],
        };
    }

    private static (string Phase, string? Reason, string? Message) Leaving(ReplicaRecord record, DateTimeOffset? drainCheckAt, string? unreachable) =>
        unreachable is not null && drainCheckAt is null
            ? (ReplicaPhases.Stopping, ReplicaReasons.HostUnreachable, $"its container is removed once the host can be reached: {unreachable}")
        : drainCheckAt is not null && record.Container is { State: ContainerState.Running or ContainerState.Paused }
            ? (ReplicaPhases.Draining, null, "waiting for the proxies to let go of it")
        : record.Setback is { Reason: ReplicaReasons.RemoveContainerError } setback ? (ReplicaPhases.Stopping, setback.Reason, setback.Message)
        : (ReplicaPhases.Stopping, null, null);

    private static (string Phase, string? Reason, string? Message) Staying(Replica replica, ReplicaRecord record, string? unreachable)
    {
        var setback = record.Setback;
        switch (record.Operation)
        {
            case { Step: ContainerStep.Create, Pulling: true } when setback is null:
                return (ReplicaPhases.Starting, ReplicaReasons.Pulling, "pulling its image");
            case { Step: ContainerStep.Restart }:
                return (ReplicaPhases.Starting, record.Kill?.Reason, $"it is being restarted: {record.Kill?.Message}");
        }

        // Running is what has had its hook: the next agent goes by that.
        if (replica.Spec.Template.Lifecycle?.PostStart is not null && record is { PostStartDue: true } or { PostStartFailure: not null })
        {
            return record.PostStartFailure is { } why
                ? (ReplicaPhases.Starting, ReplicaReasons.PostStartHookError, $"its postStart hook failed: {why}")
                : (ReplicaPhases.Starting, ReplicaReasons.PostStartHook, unreachable ?? setback?.Message ?? "its postStart hook is being run");
        }

        if (record.Container is { IsRunning: true })
        {
            return (ReplicaPhases.Running, null, null);
        }

        if (unreachable is not null)
        {
            // Last known: a container that ran may well run.
            return record.Container is null
                ? (ReplicaPhases.Starting, ReplicaReasons.HostUnreachable, $"its container is made once the host can be reached: {unreachable}")
                : (ReplicaPhases.BackOff, ReplicaReasons.HostUnreachable, unreachable);
        }

        if (setback is not null)
        {
            var pulls = setback.Reason == ReplicaReasons.ErrImagePull && setback.Count > 1;
            return (
                ReplicaPhases.BackOff,
                pulls ? ReplicaReasons.ImagePullBackOff : setback.Reason,
                pulls ? $"back-off {setback.Wait.TotalSeconds} s: {setback.Message}" : setback.Message);
        }

        var history = record.History;
        return record.Container switch
        {
            { State: ContainerState.Paused } => (ReplicaPhases.Running, ReplicaReasons.Paused, "somebody has paused the container; docker unpause lets it go on"),
            { HasEnded: true } when history.IsCrashLoop => (
                ReplicaPhases.BackOff,
                ReplicaReasons.CrashLoopBackOff,
                $"back-off {history.Backoff.TotalSeconds} s restarting failed container: {KilledFor(record)}exit code {history.LastTermination?.ExitCode}"
                + (history.LastTermination?.Message is { } line ? $"; its last words: {line}" : "")),
            { HasEnded: true } => (
                ReplicaPhases.Starting, ReplicaReasons.ContainerRestarting, $"its container ended with exit code {history.LastTermination?.ExitCode} and is being restarted"),
            _ => (ReplicaPhases.Starting, null, null),
        };
    }

    private static string KilledFor(ReplicaRecord record) =>
        record.LastKill is { } kill && kill.Reason == record.History.LastTermination?.Reason ? $"{kill.Message}; " : "";

    // Texts that differ from look to look are told no more often here than there.
    private static string? Told(ProbeVerdict verdict, ProbeStatus? told) => verdict.IsSettled ? told?.LastFailure?.Message : null;

    private static List<V1Condition> ConditionsOf(
        Replica replica, ReplicaRecord record, bool ready, bool deleting, bool running, DateTimeOffset now)
    {
        var before = replica.Status?.Conditions;
        var generation = replica.Metadata.Generation;
        var message = record.Probes switch
        {
            { HasStarted: false, Startup: { Message: { } why } startup } => $"has not started: {Told(startup, record.Report.Status?.Startup) ?? why}",
            { Readiness: { Message: not null } readiness } => Told(readiness, record.Report.Status?.Readiness) ?? readiness.Message,
            _ => null,
        };
        var (reason, text) = ready ? (ReplicaReasons.Ready, null)
            : !record.EverReady ? (ReplicaReasons.NotYetReady, message)
            : deleting ? (ReplicaReasons.Draining, null)
            : running && record.Probes is null ? (ReplicaReasons.PostStartHook, null)
            : running ? (record.Probes is { Readiness: { OnlyLate: true, EverPassed: true } } ? UnheardReasons.ReadinessProbeTimedOut : ReplicaReasons.ReadinessProbeFailed, message)
            : (ReplicaReasons.ContainerNotRunning, (string?)null);

        // Conditions of other parts stay as they are; that it has its host is known by now, whoever said otherwise before.
        return
        [
            .. (before ?? []).Where(condition => condition.Type is not (ConditionTypes.Ready or ConditionTypes.Scheduled)),
            Conditions.Find(before, ConditionTypes.Scheduled) is { Status: Conditions.True } scheduled
                ? scheduled
                : Conditions.Next(before, ConditionTypes.Scheduled, true, ReplicaReasons.Bound, $"on host {replica.Spec.HostName}", generation, now),
            Conditions.Next(before, ConditionTypes.Ready, ready, reason, text, generation, now),
        ];
    }
}
