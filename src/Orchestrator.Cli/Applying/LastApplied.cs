using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Applying;

/// <summary>
/// What was applied the last time, kept in an annotation of the object: kubectl's, to the byte, so that both tools can be used
/// on one object in turns.
/// </summary>
internal static class LastApplied
{
    public const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>A copy of a manifest that carries itself in the annotation.</summary>
    public static JsonObject Annotate(JsonObject manifest)
    {
        var annotated = manifest.DeepClone().AsObject();
        var metadata = annotated["metadata"]!.AsObject();
        if (metadata["annotations"] is not JsonObject annotations)
        {
            // kubectl writes the empty map too.
            metadata["annotations"] = annotations = [];
        }

        annotations.Remove(Annotation);
        annotations[Annotation] = GoJson.Write(annotated) + "\n";
        return annotated;
    }

    /// <returns>Null when the object was never applied, or the annotation was spoiled.</returns>
    public static JsonObject? Of(JsonObject live)
    {
        try
        {
            return (string?)live["metadata"]?["annotations"]?[Annotation] is { } text ? JsonNode.Parse(text) as JsonObject : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
