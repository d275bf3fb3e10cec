using System.Text.Json.Nodes;
using Orchestrator.Api;

namespace Orchestrator.Cli.Waiting;

/// <summary>Whether an object is what was asked for, and what is missing, in a few words.</summary>
internal sealed record Readiness(bool Ready, string Message)
{
    /// <summary>Between the count of ready replicas and the problem of the others, in the message of an app's condition Available.</summary>
    private const string ProblemMark = "; ";

    private static readonly Readiness Yes = new(true, "ready");

    /// <summary>Whether the message says why; an app's replicas may, where the app itself does not.</summary>
    public bool IsExplained { get; private init; } = true;

    /// <summary>Objects without a notion of being ready (a Secret, a Namespace) are ready when they exist.</summary>
    public static Readiness Of(JsonObject live) => ((string?)live["apiVersion"], (string?)live["kind"]) switch
    {
        (ApiGroup.GroupVersion, "WebApp") => OfApp(live),
        (ApiGroup.GroupVersion, "DockerHost") => OfHost(live),
        _ => Yes,
    };

    private static Readiness OfApp(JsonObject app)
    {
        var wanted = (int?)app["spec"]?["replicas"] ?? 1;
        var status = app["status"];
        if (!IsObserved(app))
        {
            return new(false, "the controller has not seen it yet");
        }

        int Count(string field) => (int?)status?[field] ?? 0;
        var (all, ready, updated) = (Count("replicas"), Count("readyReplicas"), Count("updatedReplicas"));
        var available = Condition(app, ConditionTypes.Available);
        if (all == wanted && updated == wanted && ready == wanted && IsTrue(available))
        {
            return new(true, wanted == 1 ? "1 replica ready" : $"{wanted} replicas ready");
        }

        var progressing = Condition(app, ConditionTypes.Progressing);

        var why = progressing is not null && !IsTrue(progressing) ? Because(progressing) : Problem(available);
        return new(false, $"{ready} of {wanted} replicas ready{(updated < wanted ? $", {updated} up to date" : "")}{(all > wanted ? $", {all - wanted} to go" : "")}{why}")
        {
            IsExplained = why.Length > 0,
        };
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
