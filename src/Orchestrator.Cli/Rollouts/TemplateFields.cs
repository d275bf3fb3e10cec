using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Applying;

namespace Orchestrator.Cli.Rollouts;

/// <summary>The part of an app's spec that makes its containers (<see cref="ReplicaTemplate"/>), as the server has it.</summary>
internal static class TemplateFields
{
    /// <summary>The hash of the content, which is of a revision and never of an app.</summary>
    private const string ContentHash = "contentHash";

    private static readonly HashSet<string> Names =
    [
        .. typeof(ReplicaTemplate).GetProperties().Select(property => property.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name).OfType<string>(),
    ];

    /// <summary>A copy, without the other fields of the spec.</summary>
    public static JsonObject Of(JsonNode? spec) => new(
        (spec as JsonObject ?? []).Where(field => Names.Contains(field.Key)).Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));

    /// <summary>
    /// The revision that the app's spec asks for, with the content that its controller last saw. While something is missing that is the
    /// one before.
    /// </summary>
    public static string RevisionOf(JsonObject app)
    {
        var (typed, live) = (KubernetesJson.Deserialize<WebApp>(app.ToJsonString()), (string?)app["status"]?[ContentHash]);
        if (live is null && typed.Status?.UpdateRevision is { } before && typed.Spec.References.Any(reference => reference.Reference.RollOnChange != false))
        {
            return before;
        }

        return RevisionHash.Of(typed.Spec.ToTemplate(ContentStandIn.Of(typed) is { } standIn && standIn.Holds(typed.Spec, live) ? standIn.HashOrNull : live));
    }

    /// <summary>Whether its revision is not known by its spec alone.</summary>
    public static bool HasReferences(JsonObject app) => KubernetesJson.Deserialize<WebApp>(app.ToJsonString()).Spec.HasReferences;

    /// <summary>
    /// The merge patch of a spec that makes its template the wanted one and leaves the rest alone. Fields that the wanted one lacks are
    /// null in it, at any depth: a probe that has both of two ways to ask would be neither. Empty when nothing is to be done.
    /// </summary>
    public static JsonObject Patch(JsonNode? spec, JsonObject wanted)
    {
        var (present, template) = (Of(spec), Of(wanted));
        template.Remove(ContentHash);
        return ThreeWayMerge.Patch(present, template, present);
    }
}
