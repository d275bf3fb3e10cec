using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>That no item of a set, and no key of a map, is there twice: <c>x-kubernetes-list-type</c>.</summary>
internal static class ListTypes
{
    public static void Check(JsonArray items, StructuralSchema schema, FieldPath path, FieldErrors errors)
    {
        if (schema.ListType == ListType.Atomic || items.Count < 2)
        {
            return;
        }

        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < items.Count; index++)
        {
            var key = schema.ListType == ListType.Map ? KeyOf(items[index], schema.MapKeys) : items[index];
            var text = key?.ToJsonString() ?? "null";
            seen[text] = seen.GetValueOrDefault(text) + 1;

            // Said once, however often it is repeated.
            if (seen[text] == 2)
            {
                errors.Add(FieldError.Duplicate(path.Of(index), key));
            }
        }
    }

    private static JsonObject KeyOf(JsonNode? item, IReadOnlyList<string> names)
    {
        var key = new JsonObject();
        if (item is JsonObject members)
        {
            foreach (var name in names)
            {
                if (members.TryGetPropertyValue(name, out var value))
                {
                    key[name] = value?.DeepClone();
                }
            }
        }

        return key;
    }
}
