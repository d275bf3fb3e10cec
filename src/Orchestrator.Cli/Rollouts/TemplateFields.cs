using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Applying;

namespace Orchestrator.Cli.Rollouts;

/// <summary>The part of an app's spec that makes its containers (<see cref="ReplicaTemplate"/>), as the server has it.</summary>
internal static class TemplateFields
{
    private static readonly HashSet<string> Names =
    [
        .. typeof(ReplicaTemplate).GetProperties().Select(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name).OfType<string>(),
    ];

    /// <summary>A copy, without the other fields of the spec.</summary>
    public static JsonObject Of(JsonNode? spec) => new(
        (spec as JsonObject ?? []).Where(field => Names.Contains(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));

    /// <summary>The revision that the app's spec asks for.</summary>
    public static string RevisionOf(JsonObject app) => RevisionHash.Of(KubernetesJson.Deserialize<WebApp>(app.ToJsonString()).Spec);

    /// <summary>
    /// The merge patch of a spec that makes its template the wanted one and leaves the rest alone. Fields that the wanted one lacks are
    /// null in it, at any depth: a probe that has both of two ways to ask would be neither. Empty when nothing is to be done.
    /// </summary>
    public static JsonObject Patch(JsonNode? spec, JsonObject wanted)
    {
        var present = Of(spec);
        return ThreeWayMerge.Patch(present, Of(wanted), present);
    }
}
