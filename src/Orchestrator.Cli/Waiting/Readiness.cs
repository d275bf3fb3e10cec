using System.Text.Json.Nodes;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Rollouts;

namespace Orchestrator.Cli.Waiting;

/// <summary>Whether an object is what was asked for, and what is missing, in a few words.</summary>
internal sealed record Readiness(bool Ready, string Message)
{
    /// <summary>Between the count of ready replicas and the problem of the others, in the message of an app's condition Available.</summary>
    private const string ProblemMark = "; ";

    /// <summary>Before what was seen of a canary, in the message of Progressing: it changes each second.</summary>
    private const string SeenMark = "; new: ";

    /// <summary>Reasons of an app's condition Progressing that mean the end of a rollout; with others it may go on.</summary>
    private static readonly string[] FailedReasons = ["ProgressDeadlineExceeded", "RolledBack", "CanaryErrors", "CanaryLatency", "Aborted"];

    private static readonly Readiness Yes = new(true, "ready");

    /// <summary>Whether the message says why; an app's replicas may, where the app itself does not.</summary>
    public bool IsExplained { get; private init; } = true;

    /// <summary>The revision whose rollout has failed; null when none has. Waiting longer is in vain then.</summary>
    public string? FailedRevision { get; private init; }

    /// <summary>A canary has come as far as it comes by itself.</summary>
    public bool WaitsForPromotion { get; private init; }

    /// <summary>Objects without a notion of being ready (a Secret, a Namespace) are ready when they exist.</summary>
    public static Readiness Of(JsonObject live) => ((string?)live["apiVersion"], (string?)live["kind"]) switch
    {
        (ApiGroup.GroupVersion, "WebApp") => OfApp(live),
        (ApiGroup.GroupVersion, "DockerHost") => OfHost(live),
        _ => Yes,
    };

    private static Readiness OfApp(JsonObject app)
    {
        var wanted = KubernetesJson.Deserialize<WebApp>(app.ToJsonString()).DesiredReplicas;
        var status = app["status"];
        if (!IsObserved(app))
        {
            return new(false, "the controller has not seen it yet");
        }

        var name = (string?)app["metadata"]?["name"];
        var paused = (bool?)app["spec"]?["paused"] == true;
        if (paused && (string?)status?["updateRevision"] is { } held && held != TemplateFields.RevisionOf(app))
        {
            return new(false, $"paused, and a change of the template waits; `orc rollout resume {name}` lets it go on");
        }

        if (Failure(app) is { } failure)
        {
            return failure;
        }

        if (!paused && TemplateFields.HasReferences(app) && IsTrue(Condition(app, ConditionTypes.Progressing))
            && (string?)status?["updateRevision"] != TemplateFields.RevisionOf(app))
        {
            // What its revision is, is not only by its spec: the generation does not tell.
            return new(false, "the controller has not seen it yet");
        }

        if (Canary(app) is { } canary)
        {
            return canary;
        }

        int Count(string field) => (int?)status?[field] ?? 0;
        var (all, ready, updated, available) = (Count("replicas"), Count("readyReplicas"), Count("updatedReplicas"), Count("availableReplicas"));
        var minReady = (int?)app["spec"]?["minReadySeconds"] ?? 0;
        var (condition, progressing) = (Condition(app, ConditionTypes.Available), Condition(app, ConditionTypes.Progressing));
        if (all == wanted && updated == wanted && ready == wanted && (minReady == 0 || available == wanted) && IsTrue(condition)
            && (progressing is null || paused || IsTrue(progressing))
            && (wanted == 0 || (string?)status?["currentRevision"] == (string?)status?["updateRevision"]))
        {
            return new(true, wanted == 1 ? "1 replica ready" : $"{wanted} replicas ready");
        }

        var why = paused ? $": paused; `orc rollout resume {name}` lets it go on"
            : progressing is not null && !IsTrue(progressing) ? Because(progressing)
            : Problem(condition);
        return new(
            false,
            $"{ready} of {wanted} replicas ready{(updated < wanted ? $", {updated} up to date" : "")}{(all > wanted ? $", {all - wanted} to go" : "")}"
            + $"{(minReady > 0 && available < ready ? $", {available} of them for {minReady} s" : "")}{why}")
        {
            IsExplained = why.Length > 0,
        };
    }

    /// <summary>
    /// A rollout that was taken back looks complete by its counts, of the revision before; that the spec asks for another one is
    /// what makes it a failure, for as long as it does.
    /// </summary>
    private static Readiness? Failure(JsonObject app)
    {
        var (status, progressing) = (app["status"], Condition(app, ConditionTypes.Progressing));
        var ended = progressing is not null && !IsTrue(progressing) && FailedReasons.Contains((string?)progressing["reason"]);
        var failed = status?["failedRollout"];
        var revision = (string?)failed?["revision"];
        if (!ended && (revision is null || revision != TemplateFields.RevisionOf(app)))
        {
            return null;
        }

        var why = string.Join(": ", new[] { (string?)(failed ?? progressing)?["reason"], (string?)(failed ?? progressing)?["message"] }.Where(word => !string.IsNullOrEmpty(word)));
        revision ??= (string?)status?["updateRevision"] ?? TemplateFields.RevisionOf(app);
        var back = failed is not null && (string?)status?["currentRevision"] is { } current ? $" (taken back: it runs revision {current})" : "";
        return new(false, $"the rollout of revision {revision} failed{back}: {why}") { FailedRevision = revision };
    }

    /// <summary>A canary that waits for a person is all that can be waited for; one that was told to go on has not come to it yet.</summary>
    private static Readiness? Canary(JsonObject app)
    {
        var progressing = Condition(app, ConditionTypes.Progressing);
        return (string?)progressing?["reason"] is ("CanaryWaits" or "CanaryRuns" or "CanaryGrows") and var reason
            ? Stands(reason == "CanaryWaits" && app["metadata"]?["annotations"]?[Annotations.Promote] is null, (string?)progressing["message"] ?? "")
            : null;

        static Readiness Stands(bool waits, string message) =>
            new(waits, waits ? message : message.Split(SeenMark)[0]) { WaitsForPromotion = waits };
    }

    /// <summary>What keeps one of an app's replicas from being ready, as the first of them that says so has it; null when none does.</summary>
    public static string? Problem(IEnumerable<JsonObject> replicas) => replicas
        .Select(replica => ((string?)replica["metadata"]?["name"], Why: Because(Condition(replica, ConditionTypes.Scheduled)) is { Length: > 0 } unscheduled
            ? unscheduled
            : Because(Condition(replica, ConditionTypes.Ready))))
        .Where(replica => replica.Why.Length > 0)
        .Select(replica => $"replica {replica.Item1}{replica.Why}")
        .FirstOrDefault();

    private static Readiness OfHost(JsonObject host)
    {
        var ready = Condition(host, ConditionTypes.Ready);
        return IsObserved(host) && IsTrue(ready) ? Yes : new(false, ready is null ? "its engine has not been asked yet" : "not ready" + Because(ready));
    }

    private static bool IsObserved(JsonObject live) => ((long?)live["status"]?["observedGeneration"] ?? 0) >= ((long?)live["metadata"]?["generation"] ?? 0);

    private static JsonNode? Condition(JsonObject live, string type) =>
        (live["status"]?["conditions"] as JsonArray)?.FirstOrDefault(condition => (string?)condition?["type"] == type);

    private static bool IsTrue(JsonNode? condition) => (string?)condition?["status"] == Conditions.True;

    /// <summary>"1 of 3 are ready" once is enough; what keeps the others is news.</summary>
    private static string Problem(JsonNode? available) =>
        Because(available) is var message && message.IndexOf(ProblemMark, StringComparison.Ordinal) is >= 0 and var mark
            ? $": {message[(mark + ProblemMark.Length)..]}"
            : "";

    private static string Because(JsonNode? condition) =>
        !IsTrue(condition) && (string?)condition?["message"] is { Length: > 0 } message ? $": {message}" : "";
}
