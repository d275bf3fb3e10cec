using System.Text.Json.Nodes;
using k8s;

namespace Orchestrator.Runtime.Clients;

/// <summary>RFC 7386: what turns one object into another, and nothing else. Lists are replaced whole.</summary>
public static class MergePatch
{
    /// <returns>Null when there is nothing to change.</returns>
    public static JsonObject? Between(object? before, object after) =>
        Difference(AsJson(before) as JsonObject ?? [], AsJson(after)!.AsObject());

    private static JsonNode? AsJson(object? value) => value is null ? null : JsonNode.Parse(KubernetesJson.Serialize(value));

    private static JsonObject? Difference(JsonObject before, JsonObject after)
    {
        var patch = new JsonObject();
        foreach (var (name, old) in before)
        {
            if (old is not null && after[name] is null)
            {
                patch[name] = null;
            }
        }

        foreach (var (name, wanted) in after)
        {
            var old = before[name];
            if (wanted is JsonObject wantedObject && old is JsonObject oldObject)
            {
                if (Difference(oldObject, wantedObject) is { } inner)
                {
                    patch[name] = inner;
                }
            }
            else if (wanted is not null && !JsonNode.DeepEquals(old, wanted))
            {
                patch[name] = wanted.DeepClone();
            }
        }

        return patch.Count == 0 ? null : patch;
    }
}
