using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// Fills in defaults, in place, as apiextensions does: in objects that are there, at every depth. A null where none is allowed
/// means "as by default", and is removed where there is no default.
/// </summary>
public static class Defaulting
{
    public static void Apply(JsonObject resource, StructuralSchema schema) => Fill(resource, schema);

    private static void Fill(JsonNode? node, StructuralSchema? schema)
    {
        switch (node)
        {
            case JsonObject members:
                FillMembers(members, schema);
                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    Fill(item, schema?.Items);
                }

                break;
        }
    }

    private static void FillMembers(JsonObject members, StructuralSchema? schema)
    {
        RemoveNulls(members, schema);
        foreach (var (name, property) in schema?.Defaulted ?? [])
        {
            if (!members.TryGetPropertyValue(name, out var value) || (value is null && !property.IsNullable))
            {
                members[name] = property.Default!.DeepClone();
            }
        }

        foreach (var (name, member) in members)
        {
            if (member is JsonObject or JsonArray)
            {
                Fill(member, schema?.Member(name));
            }
        }
    }

    private static void RemoveNulls(JsonObject members, StructuralSchema? schema)
    {
        List<string>? unwanted = null;
        foreach (var (name, member) in members)
        {
            if (member is null && schema?.Member(name) is { IsNullable: false, Default: null, PreservesUnknownFields: false })
            {
                (unwanted ??= []).Add(name);
            }
        }

        unwanted?.ForEach(name => members.Remove(name));
    }
}
