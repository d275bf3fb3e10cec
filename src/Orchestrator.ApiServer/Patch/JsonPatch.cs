using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>
/// RFC 6902, <c>application/json-patch+json</c>: operations in order, all or none. Bounded in the number of operations, in what
/// copies add, and in the depth of what comes out, so that a small patch cannot make a large object.
/// </summary>
public static class JsonPatch
{
    /// <summary>Operations a patch. Kubernetes' own limit.</summary>
    public const int MaxOperations = 10_000;

    /// <summary>Values that all copies and moves of a patch may carry together: about what fits into the largest request body.</summary>
    public const int MaxCopiedValues = 200_000;

    /// <summary>Levels of nesting, of what a patch makes.</summary>
    public const int MaxDepth = 128;

    /// <param name="target">Is not changed.</param>
    /// <param name="patch">The body: an array of operations.</param>
    public static PatchResult Apply(JsonObject target, JsonNode? patch)
    {
        if (patch is not JsonArray list)
        {
            return PatchResult.Fail(PatchFailure.BadRequest, "error decoding patch: a JSON patch must be an array of operations");
        }

        if (list.Count > MaxOperations)
        {
            return PatchResult.Fail(
                PatchFailure.TooLarge, $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {list.Count}");
        }

        // All are read before one is applied: a malformed patch is a bad request, whatever its first operations would do.
        var operations = new List<JsonPatchOperation>(list.Count);
        for (var index = 0; index < list.Count; index++)
        {
            if (!JsonPatchOperation.TryRead(list[index], out var operation, out var error))
            {
                return PatchResult.Fail(PatchFailure.BadRequest, $"error decoding patch: operation {index}: {error}");
            }

            operations.Add(operation);
        }

        var document = new JsonPatchDocument((JsonObject)target.DeepClone());
        foreach (var operation in operations)
        {
            if (document.Apply(operation) is { } error)
            {
                return PatchResult.Fail(error.Failure, error.Message);
            }
        }

        return document.Root is JsonObject result
            ? PatchResult.Of(result)
            : PatchResult.Fail(PatchFailure.Unprocessable, "the patch leaves no object");
    }

    /// <summary>Counts a value and all in it, and how deep it is. Recursion is bounded by <see cref="MaxDepth"/>, as every document is.</summary>
    internal static (int Values, int Depth) Measure(JsonNode? node)
    {
        var (values, depth) = (1, 0);
        var children = node switch
        {
            JsonObject parent => parent.Select(property => property.Value),
            JsonArray items => items,
            _ => [],
        };
        foreach (var child in children)
        {
            var (count, below) = Measure(child);
            values += count;
            depth = Math.Max(depth, below);
        }

        return (values, node is JsonObject or JsonArray ? depth + 1 : depth);
    }
}
