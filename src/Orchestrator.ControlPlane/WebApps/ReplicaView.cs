using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.Runtime.Reconciling;

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

    public const string HostsInDoubt = "HostsInDoubt";

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

    /// <summary>Its host is silent: it counts for nothing, and may yet serve again.</summary>
    public bool IsLost { get; private init; }

    /// <summary>Its host has only just come back, and it may serve in a moment: no other is made in its place, and it is not yet one too many.</summary>
    public bool IsReturning { get; private init; }

    /// <summary>Of the revision that is tried beside the one that is wanted.</summary>
    public bool IsCanary { get; private init; }

    /// <summary>It does not recover from what keeps it from being ready.</summary>
    public bool FailsForGood =>
        !Ready && Replica.Status?.Reason is CrashLoopBackOff or ImagePullBackOff or ErrImageNeverPull or CreateContainerError or RunContainerError;

    public ReplicaState State => new(
        Replica.Metadata.Name, Outdated, Broken, Ready, Replica.Spec.HostName, Replica.Metadata.CreationTimestamp ?? DateTime.MaxValue)
    {
        Available = Available,
        IsOfOtherRevision = IsOfOtherRevision,
        IsCanary = IsCanary,
    };

    /// <param name="host">The host it is bound to; null when it is not bound, or when the host does not exist.</param>
    /// <param name="hostGone">It is bound to a host that is known not to exist.</param>
    public static ReplicaView Of(
        Replica replica, WebApp app, RolloutTarget target, DockerHost? host, bool hostGone, HostOutages outages, DateTimeOffset now)
    {
        var other = target.Replaces(replica.Spec.Revision);
        var outage = host is null ? default : outages.Of(host, app, now);
        var returning = host is null || replica.Status is { Ready: true } ? null : HostOutages.ReturnOf(host, replica.Metadata.CreationTimestamp, now);
        var leave = host is null ? TimeSpan.MaxValue : LeaveIn(host, app, now);
        var view = Judge(replica, other || outage.IsToBeLeft || leave <= TimeSpan.Zero, hostGone) with
        {
            IsLost = outage.IsLost,
            IsReturning = returning is not null,
            IsCanary = replica.Spec.Revision == target.Canary,
            RecheckAfter = Earliest.Of(outage.RecheckAfter ?? returning, leave > TimeSpan.Zero && leave < TimeSpan.MaxValue ? leave : null),
        };
        if (outage.IsInDoubt)
        {
            view = view with { Reason = HostsInDoubt, Message = "most hosts fell silent at once: it is not replaced until it is clear that they are gone" };
        }

        if (other || !view.Ready || app.Spec.MinReady == TimeSpan.Zero)
        {
            return view with { IsOfOtherRevision = other, Available = view.Ready };
        }

        var since = Conditions.Find(replica.Status?.Conditions, ConditionTypes.Ready)?.LastTransitionTime;
        var left = (since ?? now.UtcDateTime) + app.Spec.MinReady - now.UtcDateTime;
        return left <= TimeSpan.Zero
            ? view with { Available = true }
            : view with { RecheckAfter = Earliest.Of(view.RecheckAfter, left) };
    }

    /// <summary>The same, to be replaced by one on another host.</summary>
    /// <param name="within">After which it stays where it is.</param>
    public ReplicaView ToBeMoved(TimeSpan within) => this with { Outdated = true, RecheckAfter = Earliest.Of(RecheckAfter, within) };

    private static ReplicaView Judge(Replica replica, bool outdated, bool hostGone)
    {
        var status = replica.Status;
        if (hostGone)
        {
            return new(replica, false, outdated, true, HostGone, $"its host {replica.Spec.HostName} no longer exists", null);
        }

        var ready = status?.Ready ?? false;
        var broken = status is { Phase: ReplicaPhases.BackOff, Reason: PortUnavailable };
        return new(replica, ready, outdated, broken, ready ? null : status?.Reason, ready ? null : status?.Message, null);
    }

    /// <summary>
    /// When a host is to be left, new replica first: at once if it is being deleted or drained, or has a NoExecute taint that the app
    /// does not tolerate, or no longer.
    /// </summary>
    private static TimeSpan LeaveIn(DockerHost host, WebApp app, DateTimeOffset now)
    {
        var soonest = host.Metadata.DeletionTimestamp is not null || (host.Spec.Drain ?? false) ? TimeSpan.Zero : TimeSpan.MaxValue;
        foreach (var taint in (host.Spec.Taints ?? []).Where(static taint => taint.Effect == Taints.NoExecute))
        {
            var tolerated = Taints.ToleratedFor(taint, app.Spec.Placement?.Tolerations) ?? TimeSpan.Zero;
            var left = tolerated == TimeSpan.Zero ? TimeSpan.Zero
                : tolerated == TimeSpan.MaxValue || taint.TimeAdded is not { } added ? TimeSpan.MaxValue
                : new DateTimeOffset(added, TimeSpan.Zero) + tolerated - now;
            soonest = left < soonest ? left : soonest;
        }

        return soonest;
    }
}
