using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>What a WebApp's status is made from.</summary>
/// <param name="Live">Its Replicas that are not being deleted.</param>
internal sealed record RollupInput(WebApp App, string Revision, IReadOnlyList<ReplicaView> Live)
{
    /// <summary>Replicas of an app that is being deleted which have still to go.</summary>
    public int Draining { get; init; }

    /// <summary>
    /// Whether the revision is in the history. While it is not, the status goes on naming the one before: by that the next
    /// reconcile, of this process or of another, knows that the history has still to be written.
    /// </summary>
    public bool IsKept { get; init; } = true;

    /// <summary>Why the last attempt to create replicas failed; null when it did not.</summary>
    public string? CreateFailure { get; init; }

    /// <summary>What of its route other apps hold, for people; empty when nothing.</summary>
    public IReadOnlyList<string> LostClaims { get; init; } = [];

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
        var (app, revision, live) = (input.App, input.Revision, input.Live);
        var before = app.Status;
        var desired = IsDeleting(app) ? 0 : app.Spec.DesiredReplicas;
        var ready = live.Count(replica => replica.Ready);
        var updated = live.Count(replica => replica.Replica.Spec.Revision == revision);
        var complete = !IsDeleting(app) && IsComplete(desired, live);

        return new WebAppStatus
        {
            ObservedGeneration = app.Metadata.Generation,
            Replicas = live.Count,
            ReadyReplicas = ready,
            UpdatedReplicas = updated,
            CurrentRevision = complete ? revision : before?.CurrentRevision,
            UpdateRevision = input.IsKept ? revision : before?.UpdateRevision,
            Selector = Selector(app.Metadata.Name),
            Conditions = [.. Conditions()],
        };

        IEnumerable<V1Condition> Conditions()
        {
            yield return Next(ConditionTypes.Available, Available(app, desired, ready, live));
            yield return Next(ConditionTypes.Progressing, Progressing(input, desired, ready, updated, complete));
            if (app.Spec.Route is not null)
            {
                yield return Next(ConditionTypes.RouteAccepted, RouteAccepted(input));
            }
        }

        V1Condition Next(string type, (bool Holds, string Reason, string Message) state) =>
            Api.Conditions.Next(before?.Conditions, type, state.Holds, state.Reason, state.Message, app.Metadata.Generation, now);
    }

    public static string Selector(string app) => $"{Labels.App}={app}";

    /// <summary>As many as wanted, all of the wanted revision and in their place, all ready.</summary>
    public static bool IsComplete(int desired, IReadOnlyList<ReplicaView> live) =>
        live.Count == desired && live.All(replica => replica is { Ready: true, Outdated: false });

    private static bool IsDeleting(WebApp app) => app.Metadata.DeletionTimestamp is not null;

    private static (bool, string, string) Available(WebApp app, int desired, int ready, IReadOnlyList<ReplicaView> live) =>
        IsDeleting(app) ? (false, WebAppReasons.Deleting, "the app is being deleted")
        : ready >= desired
            ? (true, WebAppReasons.MinimumReplicasAvailable, desired == 0 ? "no replicas are wanted" : $"{ready} of {desired} replicas are ready")
            : (false, WebAppReasons.MinimumReplicasUnavailable, $"{ready} of {desired} replicas are ready{Problem(live)}");

    private static (bool, string, string) Progressing(RollupInput input, int desired, int ready, int updated, bool complete)
    {
        if (IsDeleting(input.App))
        {
            return (true, WebAppReasons.Deleting, $"{Count(input.Draining + input.Live.Count)} still to drain and stop");
        }

        if (input.CreateFailure is { } failure)
        {
            return (false, WebAppReasons.FailedCreate, Shorten(failure));
        }

        // A replica that fails after the rollout is complete is no news of the rollout: Available tells of it.
        if (complete || (WasComplete(input, desired) && updated == desired && input.Live.Count == desired))
        {
            return (true, WebAppReasons.NewReplicasAvailable, $"revision {input.Revision} is complete");
        }

        return (true, WebAppReasons.ReplicasUpdating,
            $"revision {input.Revision}: {updated} of {Count(desired)} updated, {ready} ready{Problem(input.Live)}");
    }

    private static bool WasComplete(RollupInput input, int desired) =>
        input.App.Status is { } before
        && before.CurrentRevision == input.Revision
        && before.Replicas == desired
        && Conditions.Find(before.Conditions, ConditionTypes.Progressing)?.Reason == WebAppReasons.NewReplicasAvailable;

    private static (bool, string, string) RouteAccepted(RollupInput input) =>
        IsDeleting(input.App) ? (false, WebAppReasons.Deleting, "the app is being deleted")
        : input is { LostClaims: [], ListenerErrors: [] } ? (true, WebAppReasons.Accepted, "the route is served")
        : (false,
            input.LostClaims.Count > 0 ? WebAppReasons.RouteConflict : WebAppReasons.ListenerFailed,
            Shorten(string.Join("; ", input.LostClaims.Concat(input.ListenerErrors))));

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
