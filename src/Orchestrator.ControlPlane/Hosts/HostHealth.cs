using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>What a DockerHost's Ready condition means for what runs on it.</summary>
internal static class HostHealth
{
    /// <summary>
    /// How long a host may be silent before its replicas count as not ready. Proxies notice dead endpoints by themselves, much
    /// sooner; this only keeps a short hiccup of an engine from showing in every app's status.
    /// </summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    public static bool IsReady(DockerHost host) => Conditions.IsTrue(host.Status?.Conditions, ConditionTypes.Ready);

    /// <summary>
    /// How long the host has been anything but ready. Null while it is ready, and while its agent has not said anything about
    /// it yet.
    /// </summary>
    public static TimeSpan? NotReadyFor(DockerHost host, DateTimeOffset now) =>
        Conditions.Find(host.Status?.Conditions, ConditionTypes.Ready) is { Status: not Conditions.True, LastTransitionTime: { } since }
            ? now - new DateTimeOffset(since, TimeSpan.Zero)
            : null;
}
