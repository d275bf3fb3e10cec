using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>A document under a JSON patch. Error texts are near those of the library that Kubernetes uses.</summary>
internal sealed class JsonPatchDocument(JsonNode root)
{
    private int _copiedValues;

    public JsonNode? Root { get; private set; } = root;

    /// <returns>Null when applied.</returns>
    public PatchError? Apply(JsonPatchOperation operation) => operation.Name switch
    {
        JsonPatchOperation.Add => Add(operation.Path, operation.Value?.DeepClone(), "add"),
        JsonPatchOperation.Remove => Remove(operation.Path, "remove", out _),
        JsonPatchOperation.Replace => Replace(operation.Path, operation.Value?.DeepClone()),
        JsonPatchOperation.Test => Test(operation.Path, operation.Value),
        JsonPatchOperation.Copy => Copy(operation.From!, operation.Path),
        JsonPatchOperation.Move => Move(operation.From!, operation.Path),
        _ => throw new InvalidOperationException($"no such operation: {operation.Name}"),
    };

    private PatchError? Add(JsonPointer path, JsonNode? value, string verb)
    {
        if (path.Tokens.Count + JsonPatch.Measure(value).Depth > JsonPatch.MaxDepth)
        {
            return new PatchError(PatchFailure.TooLarge, $"{verb} operation does not apply: more than {JsonPatch.MaxDepth} levels deep");
        }

        if (path.IsRoot)
        {
            Root = value;
            return null;
        }

        switch (path.FindParent(Root))
        {
            case JsonObject parent:
                parent[path.Last] = value;
                return null;
            case JsonArray items when path.Last == "-":
                items.Add(value);
                return null;
            case JsonArray items when JsonPointer.TryIndex(path.Last, out var index):
                if (index > items.Count)
                {
                    return BadIndex(verb, path);
                }

                items.Insert(index, value);
                return null;
            case JsonArray:
                return BadIndex(verb, path);
            default:
                return Missing(verb, path);
        }
    }

    private PatchError? Remove(JsonPointer path, string verb, out JsonNode? removed)
    {
        removed = null;
        if (path.IsRoot)
        {
            (removed, Root) = (Root, null);
            return null;
        }

        switch (path.FindParent(Root))
        {
            case JsonObject parent when parent.TryGetPropertyValue(path.Last, out removed):
                parent.Remove(path.Last);
                return null;
            case JsonArray items when JsonPointer.TryIndex(path.Last, out var index) && index < items.Count:
                removed = items[index];
                items.RemoveAt(index);
                return null;
            case JsonArray:
                return BadIndex(verb, path);
            default:
                return Missing(verb, path);
        }
    }

    private PatchError? Replace(JsonPointer path, JsonNode? value)
    {
        if (!path.TryFind(Root, out _))
        {
            return Missing("replace", path);
        }

        // In place, not removed and added: the order of an object's members stays.
        if (!path.IsRoot && path.FindParent(Root) is JsonArray items && JsonPointer.TryIndex(path.Last, out var index))
        {
            items.RemoveAt(index);
        }

        return Add(path, value, "replace");
    }

    private PatchError? Test(JsonPointer path, JsonNode? value)
    {
        // A missing value passes a test for null, as in Kubernetes.
        var found = path.TryFind(Root, out var actual);
        return (found || value is null) && JsonNode.DeepEquals(actual, value)
            ? null
            : new PatchError(PatchFailure.Unprocessable, $"testing value {path.Text} failed: test failed");
    }

    private PatchError? Copy(JsonPointer from, JsonPointer path)
    {
        if (!from.TryFind(Root, out var value))
        {
            return Missing("copy", from);
        }

        return Charge(value, "copy") ?? Add(path, value?.DeepClone(), "copy");
    }

    private PatchError? Move(JsonPointer from, JsonPointer path)
    {
        if (path.Tokens.Count > from.Tokens.Count && path.IsWithin(from))
        {
            return new PatchError(PatchFailure.Unprocessable, $"move operation does not apply: {path.Text} is inside of {from.Text}");
        }

        if (!from.TryFind(Root, out var value))
        {
            return Missing("move", from);
        }

        return Charge(value, "move") ?? Remove(from, "move", out value) ?? Add(path, value, "move");
    }

    /// <summary>Copies can double a document each; and every value that is carried is measured, which costs time.</summary>
    private PatchError? Charge(JsonNode? value, string verb)
    {
        _copiedValues += JsonPatch.Measure(value).Values;
        return _copiedValues > JsonPatch.MaxCopiedValues
            ? new PatchError(
                PatchFailure.TooLarge,
                $"Unable to complete the {verb}, the accumulated size of what is copied exceeds the limit of {JsonPatch.MaxCopiedValues} values")
            : null;
    }

    private static PatchError Missing(string verb, JsonPointer path) =>
        new(PatchFailure.Unprocessable, $"{verb} operation does not apply: doc is missing path: \"{path.Text}\": missing value");

    private static PatchError BadIndex(string verb, JsonPointer path) => new(
        PatchFailure.Unprocessable,
        $"{verb} operation does not apply: doc is missing path: \"{path.Text}\": Unable to access invalid index: {path.Last}: invalid index referenced");
}
