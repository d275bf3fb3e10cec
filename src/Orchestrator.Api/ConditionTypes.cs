namespace Orchestrator.Api;

/// <summary>Types of <c>status.conditions</c>, in the sense of Kubernetes' API conventions: adjectives that hold or do not.</summary>
public static class ConditionTypes
{
    /// <summary>WebApp: all wanted replicas are ready and serve. Replica, DockerHost: see <see cref="Ready"/>.</summary>
    public const string Available = "Available";

    /// <summary>WebApp: work toward the desired state is under way or has completed; False when it is stuck.</summary>
    public const string Progressing = "Progressing";

    /// <summary>WebApp: its route is served; False when another app has its host and path, or a proxy cannot listen on its port.</summary>
    public const string RouteAccepted = "RouteAccepted";

    /// <summary>
    /// WebApp: the certificate that its route names can be shown, and the authorities of its clients are known; absent without
    /// <see cref="WebApps.Route.Tls"/>.
    /// </summary>
    public const string CertificateReady = "CertificateReady";

    /// <summary>Replica: its readiness probe passes. DockerHost: its engine answers.</summary>
    public const string Ready = "Ready";

    /// <summary>DockerHost: its engine or a replica on it answers; False since when nothing on it did.</summary>
    public const string Alive = "Alive";

    /// <summary>WebApp's autoscaling: the number of replicas can be changed, and whether past recommendations hold it.</summary>
    public const string AbleToScale = "AbleToScale";

    /// <summary>WebApp's autoscaling: a number can be computed from its metrics.</summary>
    public const string ScalingActive = "ScalingActive";

    /// <summary>WebApp's autoscaling: its bounds or its behaviour keep the number from what the metrics ask for.</summary>
    public const string ScalingLimited = "ScalingLimited";

    /// <summary>Replica: bound to a host; False says why no host fits.</summary>
    public const string Scheduled = "Scheduled";
}
