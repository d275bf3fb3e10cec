using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Applying;

/// <summary>
/// The patch that turns what is into what is wanted without touching what others wrote: fields that are new or differ are set;
/// fields that were applied before and are no longer wanted go (apimachinery's <c>jsonmergepatch</c>). Lists are taken whole.
/// </summary>
internal static class ThreeWayMerge
{
    /// <param name="original">What was applied the last time; null when unknown, then nothing is removed.</param>
    /// <param name="modified">What is wanted.</param>
    /// <param name="current">What is.</param>
    /// <returns>An RFC 7386 merge patch; empty when nothing is to be done.</returns>
    public static JsonObject Patch(JsonObject? original, JsonObject modified, JsonObject current)
    {
        var patch = Sets(current, modified);
        if (original is not null)
        {
            AddRemovals(patch, original, modified, current);
        }

        return patch;
    }

    private static JsonObject Sets(JsonObject current, JsonObject modified)
    {
        var patch = new JsonObject();
        foreach (var (key, wanted) in modified)
        {
            // A null in a manifest asks for nothing; only a key that has gone is a removal.
            if (wanted is null)
            {
                continue;
            }

            var there = current[key];
            if (wanted is JsonObject { Count: > 0 } wantedMap)
            {
                var inner = there is JsonObject thereMap ? Sets(thereMap, wantedMap) : WithoutNulls(wantedMap);
                if (inner.Count > 0)
                {
                    patch[key] = inner;
                }
            }
            else if (!(wanted is JsonObject && there is JsonObject) && !JsonNode.DeepEquals(wanted, there))
            {
                patch[key] = wanted.DeepClone();
            }
        }

        return patch;
    }

    private static void AddRemovals(JsonObject patch, JsonObject original, JsonObject modified, JsonObject? current)
    {
        foreach (var (key, before) in original)
        {
            // What is gone already needs no removing.
            if (current is null || !current.ContainsKey(key))
            {
                continue;
            }

            if (!modified.ContainsKey(key))
            {
                patch[key] = null;
            }
            else if (before is JsonObject beforeMap && modified[key] is JsonObject modifiedMap)
            {
                var inner = patch[key] as JsonObject ?? [];
                AddRemovals(inner, beforeMap, modifiedMap, current[key] as JsonObject);
                if (inner.Count > 0 && inner.Parent is null)
                {
                    patch[key] = inner;
                }
            }
        }
    }

    private static JsonObject WithoutNulls(JsonObject map)
    {
        var kept = new JsonObject();
        foreach (var (key, value) in map)
        {
            if (value is JsonObject { Count: > 0 } inner)
            {
                if (WithoutNulls(inner) is { Count: > 0 } rest)
                {
                    kept[key] = rest;
                }
            }
            else if (value is not null)
            {
                kept[key] = value.DeepClone();
            }
        }

        return kept;
    }
}
