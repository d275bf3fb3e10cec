namespace Orchestrator.HostAgent.Containers;

/// <summary>What to do next about one replica's container.</summary>
public enum ContainerStep
{
    /// <summary>Nothing, until something changes or the time has come.</summary>
    Wait,

    /// <summary>Create it, pulling its image if need be, and start it.</summary>
    Create,

    /// <summary>Start the one that is there.</summary>
    Start,

    /// <summary>Do what is to be done after its start.</summary>
    PostStart,

    /// <summary>Stop it with its grace period and start it again; in a crash loop, that waits for the back-off.</summary>
    Restart,

    /// <summary>Give the restarting to the engine.</summary>
    LetEngineRestart,

    /// <summary>Take the restarting from the engine: it keeps crashing, or is to stop for good.</summary>
    KeepEngineFromRestarting,

    /// <summary>Remove what cannot be used; the next step makes a new one.</summary>
    Discard,

    /// <summary>Stop it with its grace period and remove it, for good.</summary>
    StopAndRemove,

    /// <summary>The container is gone for good: let the Replica go.</summary>
    Release,
}

/// <param name="LookAgainAt">When the next step may be due though nothing changes.</param>
public readonly record struct ContainerPlan(ContainerStep Step, DateTimeOffset? LookAgainAt = null)
{
    public static ContainerPlan Until(DateTimeOffset? time) => new(ContainerStep.Wait, time);
}

/// <summary>All that the next step depends on.</summary>
/// <param name="Container">As last seen; null when there is none.</param>
/// <param name="IsCurrent">It was made from what Replica and DockerHost say.</param>
/// <param name="AddressMended">Its last start failed for want of an address that the DockerHost no longer says.</param>
/// <param name="Deleting">The Replica has a deletionTimestamp.</param>
/// <param name="DrainCheckAt">When draining may be over though nobody says so; null when it is over, or nothing has to be waited for.</param>
/// <param name="NotBefore">The back-off after a step that failed, whichever it was; null when none did.</param>
/// <param name="PostStartDue">The run that runs has not had its postStart hook.</param>
/// <param name="RestartWanted">Its liveness or startup probe has failed, or its postStart hook.</param>
public sealed record ContainerSituation(
    ContainerSnapshot? Container,
    bool IsCurrent,
    bool AddressMended,
    RunHistory History,
    bool Deleting,
    DateTimeOffset? DrainCheckAt,
    DateTimeOffset? NotBefore,
    bool PostStartDue,
    bool RestartWanted);

/// <summary>Decides each replica's next step from what is. A pure function: the table of its cases is its test.</summary>
public static class ContainerPlanner
{
    /// <summary>For states that pass by themselves and whose event could be missed.</summary>
    private static readonly TimeSpan Recheck = TimeSpan.FromSeconds(2);

    public static ContainerPlan Next(ContainerSituation situation, DateTimeOffset now)
    {
        var plan = situation.Deleting ? Leaving(situation, now) : Staying(situation, now);
        return plan.Step is not (ContainerStep.Wait or ContainerStep.Release) && situation.NotBefore > now
            ? ContainerPlan.Until(situation.NotBefore)
            : plan;
    }

    private static ContainerPlan Leaving(ContainerSituation situation, DateTimeOffset now) => situation.Container?.State switch
    {
        null => new(ContainerStep.Release),
        ContainerState.Removing => ContainerPlan.Until(now + Recheck),

        // Only what serves is drained.
        ContainerState.Running or ContainerState.Paused when situation.DrainCheckAt is { } check && check > now =>
            ContainerPlan.Until(check),
        _ => new(ContainerStep.StopAndRemove),
    };

    private static ContainerPlan Staying(ContainerSituation situation, DateTimeOffset now)
    {
        var history = situation.History;
        var container = situation.Container;
        if (container is null)
        {
            return new(ContainerStep.Create);
        }

        switch (container.State)
        {
            case ContainerState.Dead:
                return new(ContainerStep.Discard);
            case ContainerState.Removing:
                return ContainerPlan.Until(now + Recheck);
            case ContainerState.Paused:
                // Somebody's wish, and not ours: the probes tell that it does not serve.
                return ContainerPlan.Until(null);
            case ContainerState.Created when !situation.IsCurrent:
                return new(ContainerStep.Discard);
            case ContainerState.Created:
                return new(ContainerStep.Start);
            case ContainerState.Exited when situation.AddressMended:
                // It ran, but what it publishes on was given to it at its creation.
                return new(ContainerStep.Discard);
        }

        if (history.IsCrashLoop && container.RestartsAlways)
        {
            return new(ContainerStep.KeepEngineFromRestarting);
        }

        switch (container.State)
        {
            case ContainerState.Restarting:
                return ContainerPlan.Until(now + Recheck);
            case ContainerState.Running when situation.PostStartDue:
                return new(ContainerStep.PostStart);
            case ContainerState.Running when situation.RestartWanted:
                return new(ContainerStep.Restart);
            case ContainerState.Running when history.IsCrashLoop && history.StableAt > now:
                return ContainerPlan.Until(history.StableAt);
            case ContainerState.Running:
                return !container.RestartsAlways ? new(ContainerStep.LetEngineRestart)
                    : ContainerPlan.Until(history.ShortRuns > 0 ? history.StableAt : null);
        }

        // Exited, and the engine does nothing about it: it was stopped through the API, or the engine gave up, or we took over.
        var due = history.IsCrashLoop ? history.EndSeenAt + history.Backoff : null;
        return due > now ? ContainerPlan.Until(due)
            : !history.IsCrashLoop && !container.RestartsAlways ? new(ContainerStep.LetEngineRestart)
            : new(ContainerStep.Start);
    }
}
