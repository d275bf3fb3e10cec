using System.Text.Json.Nodes;
using Orchestrator.Api;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>A change of an app, and the sight of its end.</summary>
internal static class Rollouts
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <param name="spec">JSON: what changes of the spec.</param>
    public static async Task PatchAsync(this Installation installation, string app, string spec) =>
        (await installation.KubectlAsync("patch", "webapp", app, "--type", "merge", "--patch", $$"""{"spec": {{spec}}}""")).OrThrow();

    /// <summary>Waits until all wanted replicas are of the newest revision and ready, and no other is there.</summary>
    public static async Task SeeComplete(this Installation installation, string app)
    {
        var complete = await Eventually.See(
            () => installation.GetAsync("webapp", app),
            seen => Progressing(seen) == "True NewReplicasAvailable"
                && seen["status"]!["currentRevision"]!.GetValue<string>() == seen["status"]!["updateRevision"]!.GetValue<string>()
                && seen["status"]!["observedGeneration"]!.GetValue<long>() == seen["metadata"]!["generation"]!.GetValue<long>(),
            Limit);
        await installation.SeeReady(app, complete["spec"]!["replicas"]!.GetValue<int>());
    }

    /// <summary>Status and reason of the condition.</summary>
    public static string Progressing(JsonNode app)
    {
        var condition = app["status"]!["conditions"]!.AsArray().Single(one => one!["type"]!.GetValue<string>() == ConditionTypes.Progressing)!;
        return $"{condition["status"]} {condition["reason"]}";
    }
}
