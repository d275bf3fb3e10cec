using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Certificates;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>What a WebApp's status is made from.</summary>
/// <param name="Live">Its Replicas that are not being deleted.</param>
internal sealed record RollupInput(WebApp App, RolloutTarget Target, IReadOnlyList<ReplicaView> Live)
{
    /// <summary>How the rollout under way comes along; null while the app is being deleted.</summary>
    public RolloutCourse? Course { get; init; }

    /// <summary>The rollout is taken back for this.</summary>
    public RolloutFailure? TakenBackFor { get; init; }

    /// <summary>Replicas that an outage of their hosts has taken away; in no other count.</summary>
    public int Lost { get; init; }

    /// <summary>Replicas of an app that is being deleted which have still to go.</summary>
    public int Draining { get; init; }

    /// <summary>
    /// Whether the revision is in the history. While it is not, the status goes on naming the one before: by that the next
    /// reconcile, of this process or of another, knows that the history has still to be written.
    /// </summary>
    public bool IsKept { get; init; } = true;

    /// <summary>Why the last attempt to create replicas failed; null when it did not.</summary>
    public string? CreateFailure { get; init; }

    /// <summary>Hash of what its references hold now.</summary>
    public string? ContentHash { get; init; }

    /// <summary>What of its route other apps hold, for people; empty when nothing.</summary>
    public IReadOnlyList<string> LostClaims { get; init; } = [];

    /// <summary>What is known of its certificate; null while nobody has looked yet.</summary>
    public CertificateState? Certificate { get; init; }

    /// <summary>Why proxies cannot listen for it, for people; empty when they can.</summary>
    public IReadOnlyList<string> ListenerErrors { get; init; } = [];
}

/// <summary>Rolls the state of the Replicas up into the WebApp's status. Pure.</summary>
internal static class StatusRollup
{
    /// <summary>Characters of a problem that are shown; the Replica itself has all of it.</summary>
    private const int LongestProblem = 512;

    public static WebAppStatus Make(RollupInput input, DateTimeOffset now)
    {
        var (app, revision, live) = (input.App, input.Target.Update, input.Live);
        var before = app.Status;
        var failed = Failed(input, now);
        var desired = IsDeleting(app) ? 0 : app.DesiredReplicas;
        var ready = live.Count(replica => replica.Ready);
        var updated = live.Count(replica => replica.Replica.Spec.Revision == revision);
        var complete = !IsDeleting(app) && IsComplete(desired, live) && failed is null && input.Target is { IsPaused: false, Canary: null }
            && (desired > 0 || before?.CurrentRevision is null || before.CurrentRevision == revision);

        return new WebAppStatus
        {
            ObservedGeneration = app.Metadata.Generation,
            DesiredReplicas = IsDeleting(app) ? before?.DesiredReplicas : app.DesiredReplicas,
            Replicas = live.Count,
            ReadyReplicas = ready,
            AvailableReplicas = live.Count(replica => replica.Available),
            UpdatedReplicas = updated,
            CurrentRevision = complete ? revision : before?.CurrentRevision,
            UpdateRevision = input.IsKept ? revision : before?.UpdateRevision,
            Rollout = failed is null && !complete ? input.Course?.Progress : null,
            FailedRollout = failed,
            ContentHash = IsDeleting(app) ? before?.ContentHash : input.ContentHash,

            // The autoscaler's own, until it is turned off.
            Autoscaling = app.Spec.Autoscaling is null ? null : before?.Autoscaling,
            Selector = Selector(app.Metadata.Name),
            Conditions = [.. Conditions()],
        };

        IEnumerable<V1Condition> Conditions()
        {
            yield return Next(ConditionTypes.Available, Available(input, desired, ready));
            yield return Next(ConditionTypes.Progressing, Progressing(input, failed, desired, ready, updated, complete));
            if (app.Spec.Route is not null)
            {
                yield return Next(ConditionTypes.RouteAccepted, RouteAccepted(input));
            }

            if (app.Spec.Route?.Tls is not null && CertificateReady() is { } certificate)
            {
                yield return certificate;
            }
        }

        // What another leader found out stands until this one has looked.
        V1Condition? CertificateReady() => input.Certificate is { } state
            ? Next(ConditionTypes.CertificateReady, (state.IsReady, state.Reason, Shorten(state.Message)))
            : Api.Conditions.Find(before?.Conditions, ConditionTypes.CertificateReady);

        V1Condition Next(string type, (bool Holds, string Reason, string Message) state) =>
            Api.Conditions.Next(before?.Conditions, type, state.Holds, state.Reason, state.Message, app.Metadata.Generation, now);
    }

    public static string Selector(string app) => $"{Labels.App}={app}";

    /// <summary>As many as wanted, all of the revision that is to run and in their place, all available.</summary>
    public static bool IsComplete(int desired, IReadOnlyList<ReplicaView> live) =>
        live.Count == desired && live.All(replica => replica is { Available: true, Outdated: false });

    /// <summary>What failed is remembered until something else is asked for.</summary>
    private static FailedRollout? Failed(RollupInput input, DateTimeOffset now)
    {
        var revision = input.Target.Update;
        return input.App.Status?.FailedRollout is { } known && known.Revision == revision ? known
            : input.TakenBackFor is { } failure && revision is not null
                ? new() { Revision = revision, Reason = failure.Reason, Message = Shorten(failure.Message), FailedAt = now.UtcDateTime }
            : null;
    }

    private static bool IsDeleting(WebApp app) => app.Metadata.DeletionTimestamp is not null;

    private static (bool, string, string) Available(RollupInput input, int desired, int ready) =>
        IsDeleting(input.App) ? (false, WebAppReasons.Deleting, "the app is being deleted")
        : ready >= desired
            ? (true, WebAppReasons.MinimumReplicasAvailable, desired == 0 ? "no replicas are wanted" : $"{ready} of {desired} replicas are ready")
            : (false, WebAppReasons.MinimumReplicasUnavailable, $"{ready} of {desired} replicas are ready{Lost(input)}{Problem(input.Live)}");

    private static (bool, string, string) Progressing(
        RollupInput input, FailedRollout? failed, int desired, int ready, int updated, bool complete)
    {
        var revision = input.Target.Update;
        if (IsDeleting(input.App))
        {
            return (true, WebAppReasons.Deleting, $"{Count(input.Draining + input.Live.Count)} still to drain and stop");
        }

        if (input.CreateFailure is { } failure)
        {
            return (false, WebAppReasons.FailedCreate, Shorten(failure));
        }

        if (failed is not null)
        {
            return (false, WebAppReasons.RolledBack, $"revision {failed.Revision} was taken back: {failed.Reason}: {failed.Message}");
        }

        if (input.Target.Problem is { } problem && input.App.Spec.Paused != true)
        {
            return (false, problem.Reason, Shorten(problem.Message));
        }

        if (input.Target.IsPaused)
        {
            return (true, WebAppReasons.RolloutPaused, revision is null ? "paused before its first rollout"
                : $"paused at {updated} of {Count(desired)} of revision {revision}");
        }

        // A replica that fails after the rollout is complete is no news of the rollout: Available tells of it.
        if (complete || (WasComplete(input, desired) && updated == desired && input.Live.Count == desired))
        {
            return (true, WebAppReasons.NewReplicasAvailable, $"revision {revision} is complete");
        }

        // It was not taken back: it is not to be, or cannot be.
        if (input.Course?.Failure is { IsFinal: true } end)
        {
            return (false, end.Reason, Shorten($"revision {revision}: {end.Message}"));
        }

        if (input.Course?.Progress?.Canary is { } canary && input.App.Spec.Strategy?.CanarySteps?.Steps is { } steps && canary.Step < steps.Count)
        {
            return CanaryRunning(input.App, canary, steps, input.Live);
        }

        if (desired == 0)
        {
            // Nothing has shown yet that it is any good: the revision before stays the one to go back to.
            return (true, WebAppReasons.ReplicasUpdating, $"revision {revision} is tried once replicas are wanted");
        }

        return (true, WebAppReasons.ReplicasUpdating,
            $"revision {revision}: {updated} of {Count(desired)} updated, {ready} ready{Problem(input.Live)}");
    }

    private static (bool, string, string) CanaryRunning(WebApp app, CanaryProgress canary, IList<CanaryStep> steps, IReadOnlyList<ReplicaView> live)
    {
        var step = steps[canary.Step];
        var share = $"revision {canary.Revision} has {canary.Weight ?? 0} % of the requests, step {canary.Step + 1} of {steps.Count}";
        if (canary.Weight != step.Weight)
        {
            var wanted = step.ReplicasOf(app.DesiredReplicas);
            var available = live.Count(view => view.Available && view.Replica.Spec.Revision == canary.Revision);
            return (true, WebAppReasons.CanaryGrows, $"{share}, and gets {step.Weight} % with {available} of {Count(wanted)} available now{Problem(live)}");
        }

        var seen = canary.Analysis is { } analysis ? $"; {analysis}" : "";
        return step.DurationSeconds is { } seconds
            ? (true, WebAppReasons.CanaryRuns, $"{share}, for {seconds} s{seen}")
            : (true, WebAppReasons.CanaryWaits, $"{share}, until `orc rollout promote {app.Metadata.Name}`{seen}");
    }

    private static bool WasComplete(RollupInput input, int desired) =>
        input.App.Status is { } before
        && before.CurrentRevision == input.Target.Update
        && before.Replicas == desired
        && Conditions.Find(before.Conditions, ConditionTypes.Progressing)?.Reason == WebAppReasons.NewReplicasAvailable;

    private static (bool, string, string) RouteAccepted(RollupInput input) =>
        IsDeleting(input.App) ? (false, WebAppReasons.Deleting, "the app is being deleted")
        : input.App.Spec.Route is { IsTcp: true, Port: null } ? (false, WebAppReasons.PortMissing, "route.protocol tcp needs a route.port of the app's own")
        : input is { LostClaims: [], ListenerErrors: [] } ? (true, WebAppReasons.Accepted, "the route is served")
        : (false,
            input.LostClaims.Count > 0 ? WebAppReasons.RouteConflict : WebAppReasons.ListenerFailed,
            Shorten(string.Join("; ", input.LostClaims.Concat(input.ListenerErrors))));

    private static string Lost(RollupInput input) =>
        input.Lost == 0 ? "" : $"; {Count(input.Lost)} of silent hosts {(input.Lost == 1 ? "is" : "are")} being replaced";

    /// <summary>The problem that most replicas have: <c>; 2 of 3 replicas: ErrImagePull: manifest unknown</c>.</summary>
    private static string Problem(IReadOnlyList<ReplicaView> live)
    {
        var worst = live
            .Where(replica => !replica.Ready && replica.Reason is not null)
            .GroupBy(replica => replica.Reason!)
            .OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal)
            .FirstOrDefault();
        if (worst is null)
        {
            return "";
        }

        // One of the messages, always the same one, lest the status changes for nothing.
        var message = worst.Select(replica => replica.Message).Where(text => !string.IsNullOrEmpty(text)).Order(StringComparer.Ordinal).FirstOrDefault();
        return $"; {worst.Count()} of {Count(live.Count)}: {Shorten(message is null ? worst.Key : $"{worst.Key}: {message}")}";
    }

    private static string Count(int replicas) => replicas == 1 ? "1 replica" : $"{replicas} replicas";

    private static string Shorten(string text) => text.Length <= LongestProblem ? text : text[..(LongestProblem - 1)] + "…";
}
