using System.Text.Json.Nodes;
using Orchestrator.Api;

namespace Orchestrator.Cli.Waiting;

/// <summary>Whether an object is what was asked for, and what is missing, in a few words.</summary>
internal sealed record Readiness(bool Ready, string Message)
{
    private static readonly Readiness Yes = new(true, "ready");

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

        // "1 of 3 are ready" once is enough; what keeps the others is news.
        var why = progressing is not null && !IsTrue(progressing) ? progressing : null;
        return new(false, $"{ready} of {wanted} replicas ready{(updated < wanted ? $", {updated} up to date" : "")}{(all > wanted ? $", {all - wanted} to go" : "")}{Because(why)}");
    }

    private static Readiness OfHost(JsonObject host)
    {
        var ready = Condition(host, ConditionTypes.Ready);
        return IsObserved(host) && IsTrue(ready) ? Yes : new(false, ready is null ? "its engine has not been asked yet" : "not ready" + Because(ready));
    }

    private static bool IsObserved(JsonObject live) => ((long?)live["status"]?["observedGeneration"] ?? 0) >= ((long?)live["metadata"]?["generation"] ?? 0);

    private static JsonNode? Condition(JsonObject live, string type) =>
        (live["status"]?["conditions"] as JsonArray)?.FirstOrDefault(condition => (string?)condition?["type"] == type);

    private static bool IsTrue(JsonNode? condition) => (string?)condition?["status"] == Conditions.True;

    private static string Because(JsonNode? condition) =>
        !IsTrue(condition) && (string?)condition?["message"] is { Length: > 0 } message ? $": {message}" : "";
}
