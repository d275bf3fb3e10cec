using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>A Replica that is not being deleted, judged: is it ready, is it what is wanted, and if not, why not.</summary>
/// <param name="Reason">Why it is not ready, in a word; null when it is, or is merely on its way.</param>
/// <param name="Message">The same for people.</param>
/// <param name="RecheckAfter">When the judgement changes by time alone; null when it does not.</param>
internal sealed record ReplicaView(
    Replica Replica, bool Ready, bool Outdated, bool Broken, string? Reason, string? Message, TimeSpan? RecheckAfter)
{
    /// <summary>The agent's word for a host port that something else on the host has taken.</summary>
    public const string PortUnavailable = "PortUnavailable";

    public const string HostGone = "HostGone";

    public const string HostNotReady = "HostNotReady";

    // The agent's words for what a replica does not recover from by itself.
    public const string CrashLoopBackOff = "CrashLoopBackOff";
    public const string ImagePullBackOff = "ImagePullBackOff";
    public const string ErrImageNeverPull = "ErrImageNeverPull";
    public const string CreateContainerError = "CreateContainerError";
    public const string RunContainerError = "RunContainerError";

    /// <summary>It is ready, and has been for the app's minReadySeconds where it is of the revision that is wanted.</summary>
    public bool Available { get; private init; }

    /// <summary>Outdated for its revision, not for its host.</summary>
    public bool IsOfOtherRevision { get; private init; }

    /// <summary>Of the revision that is tried beside the one that is wanted.</summary>
    public bool IsCanary { get; private init; }

    public ReplicaState State => new(
        Replica.Metadata.Name, Outdated, Broken, Ready, Replica.Spec.HostName, Replica.Metadata.CreationTimestamp ?? DateTime.MaxValue)
    {
        Available = Available,
        IsOfOtherRevision = IsOfOtherRevision,
        IsCanary = IsCanary,
    };

    /// <param name="host">The host it is bound to; null when it is not bound, or when the host does not exist.</param>
    /// <param name="hostGone">It is bound to a host that is known not to exist.</param>
    public static ReplicaView Of(Replica replica, WebApp app, RolloutTarget target, DockerHost? host, bool hostGone, DateTimeOffset now)
    {
        var other = target.Replaces(replica.Spec.Revision);
        var view = Judge(replica, other || (host is not null && MustLeave(host, app)), host, hostGone, now) with
        {
            IsCanary = replica.Spec.Revision == target.Canary,
        };
        if (other || !view.Ready || app.Spec.MinReady == TimeSpan.Zero)
        {
            return view with { IsOfOtherRevision = other, Available = view.Ready };
        }

        var since = Conditions.Find(replica.Status?.Conditions, ConditionTypes.Ready)?.LastTransitionTime;
        var left = (since ?? now.UtcDateTime) + app.Spec.MinReady - now.UtcDateTime;
        return left <= TimeSpan.Zero
            ? view with { Available = true }
            : view with { RecheckAfter = view.RecheckAfter < left ? view.RecheckAfter : left };
    }

    private static ReplicaView Judge(Replica replica, bool outdated, DockerHost? host, bool hostGone, DateTimeOffset now)
    {
        var status = replica.Status;
        if (hostGone)
        {
            return new(replica, false, outdated, true, HostGone, $"its host {replica.Spec.HostName} no longer exists", null);
        }

        if (status is { Phase: ReplicaPhases.BackOff, Reason: PortUnavailable })
        {
            return new(replica, false, outdated, true, status.Reason, status.Message, null);
        }

        var ready = status?.Ready ?? false;
        if (host is not null && HostHealth.NotReadyFor(host, now) is { } silent)
        {
            if (silent >= HostHealth.Grace)
            {
                return new(replica, false, outdated, false, HostNotReady, $"host {host.Metadata.Name} is not ready", null);
            }

            return new(replica, ready, outdated, false, ready ? null : status?.Reason, status?.Message, HostHealth.Grace - silent);
        }

        return new(replica, ready, outdated, false, ready ? null : status?.Reason, ready ? null : status?.Message, null);
    }

    /// <summary>A host that is being deleted, or has a NoExecute taint that the app does not tolerate, is left: new replica first.</summary>
    private static bool MustLeave(DockerHost host, WebApp app) =>
        host.Metadata.DeletionTimestamp is not null
        || Taints.FirstUntolerated(host.Spec.Taints, app.Spec.Placement?.Tolerations, Taints.NoExecute) is not null;
}
