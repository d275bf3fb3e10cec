namespace Orchestrator.Api.Replicas;

/// <summary>
/// Reasons of the Ready condition of a Replica that was ready and is not any more, only because nothing was heard of it in time. It may be gone, or serve
/// as well as it can: proxies send requests to such ones while no other replica of the app is ready.
/// </summary>
public static class UnheardReasons
{
    /// <summary>Neither the engine nor any replica on the host answers.</summary>
    public const string HostSilent = "HostSilent";

    /// <summary>Its readiness probe got no answer in time, as often in a row as its threshold says, and never a bad one in between.</summary>
    public const string ReadinessProbeTimedOut = "ReadinessProbeTimedOut";

    public static bool Explain(ReplicaStatus status) =>
        Conditions.Find(status.Conditions, ConditionTypes.Ready) is { Status: Conditions.False, Reason: HostSilent or ReadinessProbeTimedOut };
}
