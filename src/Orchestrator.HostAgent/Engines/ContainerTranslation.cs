using System.Globalization;
using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.HostAgent.Containers;

namespace Orchestrator.HostAgent.Engines;

/// <summary>From Docker's answers to <see cref="ContainerSnapshot"/>.</summary>
internal static class ContainerTranslation
{
    public static ContainerSnapshot Snapshot(ContainerInspectResponse answer)
    {
        var state = answer.State ?? throw new EngineException(EngineFailure.Failed, $"the engine described {answer.ID} without its state");
        IReadOnlyDictionary<string, string> labels = answer.Config?.Labels?.AsReadOnly() ?? new Dictionary<string, string>().AsReadOnly();
        return new ContainerSnapshot(
            answer.ID,
            answer.Name.TrimStart('/'),
            labels,
            labels.GetValueOrDefault(Labels.ReplicaUid, ""),
            State(state.Status),
            answer.HostConfig?.RestartPolicy?.Name == RestartPolicyKind.Always,
            Moment(state.StartedAt),
            Moment(state.FinishedAt),
            state.ExitCode,
            state.OOMKilled,
            answer.RestartCount);
    }

    public static ContainerState State(string status) => status switch
    {
        "created" => ContainerState.Created,
        "running" => ContainerState.Running,
        "restarting" => ContainerState.Restarting,
        "paused" => ContainerState.Paused,
        "exited" => ContainerState.Exited,
        "removing" => ContainerState.Removing,
        "dead" => ContainerState.Dead,
        _ => throw new EngineException(EngineFailure.Failed, $"the engine knows a container state that we do not: {status}"),
    };

    // Go's zero time means never. Microseconds are what a Kubernetes object can hold: two runs compare equal after that trip.
    private static DateTimeOffset? Moment(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) && moment.Year > 1
            ? new DateTimeOffset(moment.UtcTicks - (moment.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero)
            : null;
}
