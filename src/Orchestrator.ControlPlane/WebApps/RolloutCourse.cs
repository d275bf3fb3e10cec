using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>Why a rollout has failed.</summary>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">For people.</param>
internal sealed record RolloutFailure(string Reason, string Message)
{
    /// <summary>Waiting longer is in vain; a replica that fails may yet be healed by its next start.</summary>
    public bool IsFinal => Reason is RolloutCourse.DeadlineExceeded or RolloutCourse.Aborted or CanaryVerdict.TooManyErrors or CanaryVerdict.TooSlow;
}

/// <summary>
/// How the rollout of an app's newest revision comes along: is it under way, when did it last come forward, has it failed. Pure.
/// </summary>
/// <param name="Progress">What the status says of it; null when none is under way.</param>
/// <param name="Failure">Null while it may still succeed.</param>
/// <param name="RecheckAfter">When the judgement changes by time alone; null when it does not.</param>
internal sealed record RolloutCourse(RolloutProgress? Progress, RolloutFailure? Failure, TimeSpan? RecheckAfter)
{
    public const string DeadlineExceeded = "ProgressDeadlineExceeded";
    public const string Aborted = "Aborted";

    /// <summary>Restarts of a replica that was not once available. One may be bad luck.</summary>
    private const int TooManyRestarts = 2;

    /// <summary>
    /// A replica that is younger has its chance. An engine that failed to make or start its container has been asked again by then
    /// (after 10 s), and quick restarts have become a crash loop, which says more.
    /// </summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(15);

    private static readonly RolloutCourse None = new(null, null, null);

    /// <param name="live">The app's replicas that are not being deleted.</param>
    /// <param name="canary">Null when it is none.</param>
    /// <param name="othersStop">Replicas of other revisions are being stopped, and the new ones have to wait for that.</param>
    public static RolloutCourse Of(
        WebApp app, RolloutTarget target, IReadOnlyList<ReplicaView> live, CanaryCourse? canary, bool othersStop, DateTimeOffset now)
    {
        if (target.Update is not { } revision || target.IsRolledBack || app.Status?.CurrentRevision == revision)
        {
            return None;
        }

        var updated = live.Where(view => view.Replica.Spec.Revision == revision).ToList();
        var available = updated.Count(view => view.Available);
        var before = app.Status?.UpdateRevision == revision ? app.Status.Rollout : null;
        var progress = new RolloutProgress
        {
            StartedAt = before?.StartedAt ?? now.UtcDateTime,
            MostAvailable = Math.Max(available, before?.MostAvailable ?? 0),
            Canary = canary?.Progress,
        };
        if (RolloutCommands.IsAborted(app, revision))
        {
            return new(progress, new(Aborted, "it was given up by `orc rollout abort`"), null);
        }

        if (canary?.Failure is { } worse)
        {
            return new(progress, worse, null);
        }

        // The clock stands while nothing can come forward, and begins anew after that.
        if (target.IsPaused || othersStop || app.DesiredReplicas == 0 || canary is { Waits: true })
        {
            return new(progress, null, canary?.RecheckAfter);
        }

        progress.ProgressedAt = progress.MostAvailable == before?.MostAvailable ? before.ProgressedAt ?? now.UtcDateTime : now.UtcDateTime;
        var left = progress.ProgressedAt.Value + app.Spec.ProgressDeadline - now.UtcDateTime;
        if (left <= TimeSpan.Zero)
        {
            return new(progress, OutOfTime(app, updated), null);
        }

        // Where it is not taken back, the deadline has still to come.
        var (failure, recheckAfter) = available == 0 ? FailsForGood(updated, now) : (null, null);
        return new(progress, failure, failure is not null ? left : Earliest.Of(canary?.RecheckAfter, Earliest.Of(recheckAfter, left)));
    }

    private static RolloutFailure OutOfTime(WebApp app, List<ReplicaView> updated)
    {
        var problem = updated.Where(view => !view.Available).Select(Trouble).Where(text => text is not null).Order(StringComparer.Ordinal).FirstOrDefault();
        var seconds = (int)app.Spec.ProgressDeadline.TotalSeconds;
        return new(DeadlineExceeded, $"no further replica became available for {seconds} s" + (problem is null ? "" : $"; {problem}"));
    }

    /// <summary>The failure that a replica repeats: waiting for the deadline would only cost time.</summary>
    private static (RolloutFailure? Failure, TimeSpan? RecheckAfter) FailsForGood(List<ReplicaView> updated, DateTimeOffset now)
    {
        TimeSpan? recheckAfter = null;
        foreach (var view in updated.Where(view => !view.Available).OrderBy(view => view.Replica.Metadata.Name, StringComparer.Ordinal))
        {
            var status = view.Replica.Status;
            if (status?.Reason is ReplicaView.CrashLoopBackOff or ReplicaView.ImagePullBackOff or ReplicaView.ErrImageNeverPull)
            {
                return (new(status.Reason, Trouble(view)!), null);
            }

            var restarts = status?.Restarts >= TooManyRestarts;
            if (!restarts && status?.Reason is not (ReplicaView.CreateContainerError or ReplicaView.RunContainerError))
            {
                continue;
            }

            var left = Doubt - (now - (view.Replica.Metadata.CreationTimestamp ?? now.UtcDateTime));
            if (left <= TimeSpan.Zero)
            {
                return (restarts ? KeepsRestarting(view) : new(status!.Reason!, Trouble(view)!), null);
            }

            recheckAfter = recheckAfter < left ? recheckAfter : left;
        }

        return (null, recheckAfter);
    }

    private static RolloutFailure KeepsRestarting(ReplicaView view)
    {
        var status = view.Replica.Status!;
        var exit = status.LastTermination is not { } last ? ""
            : (last.ExitCode is { } code ? $", last with exit code {code}" : "") + (last.Message is { } words ? $"; its last words: {words}" : "");
        var told = status.Message is { } message ? $"; {message}" : "";
        return new(WebAppReasons.KeepsRestarting,
            $"{view.Replica.Metadata.Name}: restarted {status.Restarts} times before it was available{exit}{told}");
    }

    /// <summary>What keeps a replica from being available; null when nothing is known.</summary>
    private static string? Trouble(ReplicaView view)
    {
        var ready = Conditions.Find(view.Replica.Status?.Conditions, ConditionTypes.Ready);
        var (reason, message) = view.Reason is not null ? (view.Reason, view.Message)
            : view.Ready ? ("NotYetAvailable", "it has not been ready for minReadySeconds yet")
            : (ready?.Reason, ready?.Message);
        return string.IsNullOrEmpty(message) && view.Reason is null ? null
            : $"{view.Replica.Metadata.Name}: {reason}{(string.IsNullOrEmpty(message) ? "" : $": {message}")}";
    }
}
