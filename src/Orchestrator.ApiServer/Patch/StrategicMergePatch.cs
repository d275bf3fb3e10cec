using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>
/// Kubernetes' strategic merge patch, <c>application/strategic-merge-patch+json</c>: a merge patch that merges the lists that
/// <see cref="PatchStrategies"/> names, with directives: <c>$patch: replace|delete|merge</c>, <c>$retainKeys</c>,
/// <c>$deleteFromPrimitiveList/&lt;field&gt;</c>, <c>$setElementOrder/&lt;field&gt;</c>.
/// </summary>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string RetainKeys = "$retainKeys";
    private const string DeleteFromList = "$deleteFromPrimitiveList/";
    private const string ElementOrder = "$setElementOrder/";

    /// <param name="target">Is not changed.</param>
    /// <param name="patch">The body; anything but an object is refused.</param>
    public static PatchResult Apply(JsonObject target, JsonNode? patch, PatchStrategies strategies)
    {
        if (patch is not JsonObject changes)
        {
            return PatchResult.Fail(PatchFailure.BadRequest, "error decoding patch: a strategic merge patch must be a JSON object");
        }

        try
        {
            return PatchResult.Of(Merge((JsonObject)target.DeepClone(), changes, strategies));
        }
        catch (MalformedPatchException malformed)
        {
            return PatchResult.Fail(malformed.Failure, malformed.Message);
        }
    }

    private static JsonObject Merge(JsonObject target, JsonObject changes, PatchStrategies strategies)
    {
        switch (DirectiveOf(changes))
        {
            case "replace":
                return Bare(changes);
            case "delete":
                return [];
        }

        Retain(target, changes);
        foreach (var (name, value) in changes)
        {
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
            {
                DeleteElements(target, name[DeleteFromList.Length..], value);
            }
            else if (name is not (Directive or RetainKeys) && !name.StartsWith(ElementOrder, StringComparison.Ordinal))
            {
                MergeField(target, name, value, strategies.Fields.GetValueOrDefault(name));
            }
        }

        foreach (var (name, value) in changes)
        {
            if (name.StartsWith(ElementOrder, StringComparison.Ordinal))
            {
                var field = name[ElementOrder.Length..];
                Order(target, field, value, strategies.Fields.GetValueOrDefault(field));
            }
        }

        return target;
    }

    private static void MergeField(JsonObject target, string name, JsonNode? value, PatchStrategy? strategy)
    {
        switch (value)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject nested:
                // Merged into nothing where there is nothing: directives and nulls are not to be stored.
                var existing = target[name] as JsonObject;
                var merged = Merge(existing ?? [], nested, strategy?.Nested ?? PatchStrategies.None);
                if (!ReferenceEquals(merged, existing))
                {
                    target[name] = merged;
                }

                break;
            case JsonArray items when strategy is { MergeKey: { } key }:
                target[name] = MergeByKey(target[name] as JsonArray, items, key, strategy.Nested, name);
                break;
            case JsonArray items when strategy is { IsUnion: true }:
                target[name] = Unite(target[name] as JsonArray, items, name);
                break;
            default:
                target[name] = value.DeepClone();
                break;
        }
    }

    private static JsonArray MergeByKey(JsonArray? target, JsonArray changes, string key, PatchStrategies nested, string name)
    {
        var wanted = Objects(changes, name).ToList();
        var isReplaced = wanted.Any(item => item.Count == 1 && DirectiveOf(item) == "replace");
        var result = isReplaced ? [] : Objects(target ?? [], name).Select(item => (JsonObject?)item.DeepClone()).ToList();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < result.Count; index++)
        {
            places.TryAdd(TextOf(result[index]![key]), index);
        }

        foreach (var change in wanted)
        {
            var directive = DirectiveOf(change);
            if (directive == "replace" && change.Count == 1)
            {
                continue;
            }

            if (change[key] is not { } id)
            {
                throw new MalformedPatchException(
                    PatchFailure.Unprocessable, $"map: {change.ToJsonString()} does not contain declared merge key: {key}");
            }

            var isThere = places.TryGetValue(TextOf(id), out var place);
            if (directive == "delete")
            {
                if (isThere)
                {
                    // Emptied, not removed: the places of the others stay.
                    result[place] = null;
                    places.Remove(TextOf(id));
                }
            }
            else if (isThere)
            {
                result[place] = Merge(result[place]!, change, nested);
            }
            else
            {
                places.Add(TextOf(id), result.Count);
                result.Add(Merge([], change, nested));
            }
        }

        return [.. result.Where(item => item is not null)];
    }

    private static JsonArray Unite(JsonArray? target, JsonArray changes, string name)
    {
        var result = (JsonArray)(target ?? []).DeepClone();
        var present = result.Select(TextOf).ToHashSet(StringComparer.Ordinal);
        foreach (var change in changes)
        {
            if (change is JsonObject or JsonArray or null)
            {
                throw new MalformedPatchException(PatchFailure.BadRequest, $"invalid patch format of primitive list: {name}");
            }

            if (present.Add(TextOf(change)))
            {
                result.Add(change.DeepClone());
            }
        }

        return result;
    }

    private static void DeleteElements(JsonObject target, string name, JsonNode? value)
    {
        if (value is not JsonArray unwanted)
        {
            throw new MalformedPatchException(PatchFailure.BadRequest, $"invalid patch format of primitive list: {DeleteFromList}{name}");
        }

        if (target[name] is JsonArray items)
        {
            var gone = unwanted.Select(TextOf).ToHashSet(StringComparer.Ordinal);
            items.RemoveAll(item => gone.Contains(TextOf(item)));
        }
    }

    /// <summary>Fields that are not in the list of those to retain go; the list itself must name all that the patch sets.</summary>
    private static void Retain(JsonObject target, JsonObject changes)
    {
        if (!changes.TryGetPropertyValue(RetainKeys, out var value))
        {
            return;
        }

        if (value is not JsonArray list || list.Any(item => item?.GetValueKind() != JsonValueKind.String))
        {
            throw new MalformedPatchException(PatchFailure.BadRequest, "invalid patch format of retainKeys");
        }

        var retained = list.Select(item => item!.GetValue<string>()).ToHashSet(StringComparer.Ordinal);
        if (changes.Any(change => change.Key[..Math.Min(1, change.Key.Length)] != "$" && change.Value is not null && !retained.Contains(change.Key)))
        {
            throw new MalformedPatchException(PatchFailure.BadRequest, "invalid patch format of retainKeys: a field that is set is not retained");
        }

        foreach (var name in target.Select(property => property.Key).Where(name => !retained.Contains(name)).ToList())
        {
            target.Remove(name);
        }
    }

    /// <summary>Elements that the order names come in that order; others, which somebody else added, follow in their own.</summary>
    private static void Order(JsonObject target, string name, JsonNode? value, PatchStrategy? strategy)
    {
        if (value is not JsonArray order)
        {
            throw new MalformedPatchException(PatchFailure.BadRequest, $"invalid patch format of setElementOrder list: {name}");
        }

        if (target[name] is not JsonArray items)
        {
            return;
        }

        string KeyOf(JsonNode? item) => TextOf(strategy?.MergeKey is { } key && item is JsonObject element ? element[key] : item);

        var ranks = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var item in order)
        {
            ranks.TryAdd(KeyOf(item), ranks.Count);
        }

        // OrderBy is stable.
        var sorted = items.OrderBy(item => ranks.GetValueOrDefault(KeyOf(item), int.MaxValue)).ToList();
        items.Clear();
        sorted.ForEach(items.Add);
    }

    private static IEnumerable<JsonObject> Objects(JsonArray items, string name) => items.Select(item => item as JsonObject
        ?? throw new MalformedPatchException(PatchFailure.BadRequest, $"invalid patch format: {name} must be a list of objects"));

    private static string? DirectiveOf(JsonObject changes)
    {
        if (!changes.TryGetPropertyValue(Directive, out var value))
        {
            return null;
        }

        var text = value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value?.ToJsonString() ?? "null";
        return text is "replace" or "delete" or "merge"
            ? text
            : throw new MalformedPatchException(PatchFailure.BadRequest, $"Unknown patch type: {text}");
    }

    /// <summary>Compared by text, so that long lists merge in linear time.</summary>
    private static string TextOf(JsonNode? node) => node?.ToJsonString() ?? "null";

    private static JsonObject Bare(JsonObject changes)
    {
        var bare = (JsonObject)changes.DeepClone();
        bare.Remove(Directive);
        return bare;
    }

    /// <summary>Leaves the recursion; never leaves this class.</summary>
    private sealed class MalformedPatchException(PatchFailure failure, string message) : Exception(message)
    {
        public PatchFailure Failure { get; } = failure;
    }
}
