using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// How a canary comes along: which step it is at, what share of the requests it has, and whether the proxies have seen it do worse
/// than the stable revision. Pure.
/// </summary>
/// <param name="Progress">What the status says of it.</param>
/// <param name="Failure">Null while it may still succeed.</param>
/// <param name="Waits">It has what the step asks for, and time or a person must pass it on.</param>
/// <param name="RecheckAfter">When the judgement changes by time alone; null when it does not.</param>
internal sealed record CanaryCourse(CanaryProgress Progress, RolloutFailure? Failure, bool Waits, TimeSpan? RecheckAfter)
{
    /// <summary>A step was passed: what it means for the replicas is the next reconcile's.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(1);

    /// <summary>Whether the revision has steps before it, rather than being rolled out.</summary>
    public static bool IsOnTrial(WebApp app, string revision) =>
        IsCanary(app, revision) && ProgressOf(app, revision).Step < StepsOf(app).Count;

    /// <summary>Replicas that the step asks for which the canary is at or is to come to; the last step's until the rollout goes on.</summary>
    public int ReplicasWanted(WebApp app) =>
        StepsOf(app)[Math.Min(Progress.Step, StepsOf(app).Count - 1)].ReplicasOf(app.DesiredReplicas);

    /// <param name="counts">What proxies have seen since <see cref="CanaryProgress.WeightSince"/>.</param>
    /// <returns>Null when the target's revision is no canary, or none any more.</returns>
    public static CanaryCourse? Of(
        WebApp app, RolloutTarget target, IReadOnlyList<ReplicaView> live, CanaryCounts counts, DateTimeOffset now)
    {
        if (target.Update is not { } revision || target.IsRolledBack || !IsCanary(app, revision))
        {
            return null;
        }

        var before = ProgressOf(app, revision);
        var verdict = CanaryVerdict.Of(app.Spec.Strategy!.CanarySteps!.Analysis, counts);
        if (target.IsPaused)
        {
            // As it is, if its user has said so. That something it refers to is missing is no reason to go on with one that does worse.
            return new(before, app.Spec.Paused == true ? null : verdict.Failure, Waits: true, null);
        }

        var available = live.Count(view => view.Available && view.Replica.Spec.Revision == revision);
        var next = Next(app, before, available, passes: verdict.Failure is null, now);
        if (next.Progress.WeightSince == before.WeightSince)
        {
            next.Progress.Analysis = verdict.Text;
        }

        return next with { Failure = verdict.Failure };
    }

    /// <param name="passes">Whether time may pass a step. One that does worse, and is not taken back, goes on by promotion alone.</param>
    private static CanaryCourse Next(WebApp app, CanaryProgress before, int available, bool passes, DateTimeOffset now)
    {
        var steps = StepsOf(app);
        var (step, weight, since) = (before.Step, before.Weight, before.WeightSince);
        var promoted = RolloutCommands.PromotedTo(app, before.Revision, step, steps.Count);
        step = Math.Max(step, promoted);
        TimeSpan? left = null;
        var waits = false;
        while (step < steps.Count && available >= steps[step].ReplicasOf(app.DesiredReplicas))
        {
            if (weight != steps[step].Weight)
            {
                (weight, since) = (steps[step].Weight, now.UtcDateTime);
            }

            left = passes && steps[step].DurationSeconds is { } seconds ? since!.Value.AddSeconds(seconds) - now.UtcDateTime : null;
            if (left is not { } rest || rest > TimeSpan.Zero)
            {
                waits = true;
                break;
            }

            step++;
        }

        if (step >= steps.Count && weight != 100)
        {
            // From here on all replicas share alike. After a step of 100 the old ones get nothing back while they go.
            (weight, since) = (null, null);
        }

        var progress = new CanaryProgress { Revision = before.Revision, Step = step, Weight = weight, WeightSince = since };
        return new(progress, null, waits, step != before.Step ? AtOnce : waits ? left : null);
    }

    private static bool IsCanary(WebApp app, string revision) =>
        app is { DesiredReplicas: > 0, Spec.Strategy: { Type: RolloutStrategy.Canary, CanarySteps.Steps.Count: > 0 } }
        && app.Status?.CurrentRevision is { } stable && stable != revision;

    private static IList<CanaryStep> StepsOf(WebApp app) => app.Spec.Strategy!.CanarySteps!.Steps;

    private static CanaryProgress ProgressOf(WebApp app, string revision) =>
        app.Status?.Rollout?.Canary is { } known && known.Revision == revision ? known : new() { Revision = revision, Weight = 0 };
}
