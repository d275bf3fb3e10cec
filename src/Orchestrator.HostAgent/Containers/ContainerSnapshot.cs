namespace Orchestrator.HostAgent.Containers;

/// <summary>Docker's container states, by its names.</summary>
public enum ContainerState
{
    /// <summary>Never started, or a start failed. No restart policy starts it.</summary>
    Created,
    Running,

    /// <summary>It ended and the engine is about to start it again.</summary>
    Restarting,
    Paused,
    Exited,
    Removing,

    /// <summary>Left over by a removal that was cut short; can only be removed.</summary>
    Dead,
}

/// <summary>A container as the engine described it at one moment.</summary>
/// <param name="ReplicaUid">Of the label <see cref="Api.Labels.ReplicaUid"/>; empty when it has none.</param>
/// <param name="RestartsAlways">Its restart policy is <c>always</c>; otherwise it is <c>no</c>, or one that we never set.</param>
/// <param name="StartedAt">By the engine's clock, to the microsecond; null before the first start. Names a run.</param>
/// <param name="FinishedAt">End of the last run that ended.</param>
/// <param name="RestartCount">Restarts by policy since it was last started through the API.</param>
public sealed record ContainerSnapshot(
    string Id,
    string Name,
    IReadOnlyDictionary<string, string> Labels,
    string ReplicaUid,
    ContainerState State,
    bool RestartsAlways,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    long ExitCode,
    bool OutOfMemory,
    long RestartCount)
{
    /// <summary>It was running when it was described, ready to serve.</summary>
    public bool IsRunning => State == ContainerState.Running;

    /// <summary>Its process has ended, and FinishedAt, ExitCode say how.</summary>
    public bool HasEnded => State is ContainerState.Exited or ContainerState.Restarting or ContainerState.Dead && FinishedAt is not null;
}
