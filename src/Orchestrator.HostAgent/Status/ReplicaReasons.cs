using Orchestrator.Api.Replicas;

namespace Orchestrator.HostAgent.Status;

/// <summary>Words for <c>status.reason</c> and the Ready condition; Kubernetes' where it has one.</summary>
public static class ReplicaReasons
{
    public const string ErrImagePull = "ErrImagePull";
    public const string ImagePullBackOff = "ImagePullBackOff";
    public const string ErrImageNeverPull = "ErrImageNeverPull";
    public const string CreateContainerError = "CreateContainerError";

    /// <summary>The content of its revision is not there. Kubernetes' word.</summary>
    public const string CreateContainerConfigError = "CreateContainerConfigError";
    public const string RunContainerError = "RunContainerError";
    public const string RemoveContainerError = "RemoveContainerError";
    public const string CrashLoopBackOff = "CrashLoopBackOff";
    public const string LivenessProbeFailed = "LivenessProbeFailed";
    public const string StartupProbeFailed = "StartupProbeFailed";

    /// <summary>The postStart hook has failed; Kubernetes' word.</summary>
    public const string PostStartHookError = "PostStartHookError";

    /// <summary>The postStart hook runs.</summary>
    public const string PostStartHook = "PostStartHook";

    /// <summary>The host port is taken by something else: the WebApp controller replaces such a Replica.</summary>
    public const string PortUnavailable = "PortUnavailable";

    /// <summary>spec.publishAddress of the host is not one of its addresses.</summary>
    public const string PublishAddressUnavailable = "PublishAddressUnavailable";

    /// <summary>A container that is not ours has the name that this one must have.</summary>
    public const string NameConflict = "NameConflict";

    /// <summary>The engine did not answer, or broke off; nobody knows whether it did what it was asked.</summary>
    public const string EngineUnavailable = "EngineUnavailable";

    /// <summary>The engine cannot be reached at all; see the host's Ready condition.</summary>
    public const string HostUnreachable = "HostUnreachable";

    /// <summary>Neither the engine nor any replica on the host answers.</summary>
    public const string HostSilent = UnheardReasons.HostSilent;

    public const string Pulling = "Pulling";
    public const string ContainerRestarting = "ContainerRestarting";
    public const string Paused = "Paused";

    /// <summary>Ready condition: it passes.</summary>
    public const string Ready = "Ready";

    /// <summary>Ready condition: it has never been ready, so no request can be in flight to it.</summary>
    public const string NotYetReady = "NotYetReady";
    public const string ReadinessProbeFailed = "ReadinessProbeFailed";
    public const string ContainerNotRunning = "ContainerNotRunning";
    public const string Draining = "Draining";

    /// <summary>Scheduled condition: it has its host.</summary>
    public const string Bound = "Bound";
}
