using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>What a DockerHost's conditions mean for what runs on it.</summary>
internal static class HostHealth
{
    /// <summary>Takes new replicas, as far as its health goes.</summary>
    public static bool IsReady(DockerHost host) => Conditions.IsTrue(host.Status?.Conditions, ConditionTypes.Ready) && !IsSilent(host);

    /// <summary>Neither its engine nor any replica on it answers.</summary>
    public static bool IsSilent(DockerHost host) => Alive(host)?.Status == Conditions.False;

    /// <summary>Whether what runs on a host is to be judged anew.</summary>
    public static bool Differs(DockerHost before, DockerHost now) =>
        IsReady(before) != IsReady(now) || IsSilent(before) != IsSilent(now);

    /// <summary>
    /// Since when the host has been anything but ready. Null while it is ready, and while its agent has not said anything about
    /// it yet.
    /// </summary>
    public static DateTimeOffset? NotReadySince(DockerHost host) =>
        Conditions.Find(host.Status?.Conditions, ConditionTypes.Ready) is { Status: not Conditions.True } condition ? Since(condition) : null;

    /// <summary>When it was last heard of; null while it is not silent.</summary>
    public static DateTimeOffset? SilentSince(DockerHost host) => Alive(host) is { Status: Conditions.False } condition ? Since(condition) : null;

    /// <summary>When it began to answer; null while it does not.</summary>
    public static DateTimeOffset? AliveSince(DockerHost host) => Alive(host) is { Status: Conditions.True } condition ? Since(condition) : null;

    private static V1Condition? Alive(DockerHost host) => Conditions.Find(host.Status?.Conditions, ConditionTypes.Alive);

    private static DateTimeOffset? Since(V1Condition condition) =>
        condition.LastTransitionTime is { } since ? new DateTimeOffset(since, TimeSpan.Zero) : null;
}
