using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>Removes, in place, the fields that a schema does not know, as apiextensions does, and says which they were.</summary>
public static class Pruning
{
    /// <summary>Paths that are told; what is unknown is removed all the same.</summary>
    private const int MaxPaths = 100;

    /// <returns>Paths such as <c>spec.env[2].valeu</c>, sorted, the first hundred.</returns>
    public static IReadOnlyList<string> Apply(JsonObject resource, StructuralSchema schema)
    {
        var (path, unknown) = (new FieldPath(), new List<string>());
        PruneMembers(resource, schema, isResource: true, path, unknown);
        unknown.Sort(StringComparer.Ordinal);
        return unknown;
    }

    private static void Prune(JsonNode? node, StructuralSchema? schema, FieldPath path, List<string> unknown)
    {
        switch (node)
        {
            case JsonObject members:
                PruneMembers(members, schema, schema?.IsEmbeddedResource == true, path, unknown);
                break;
            case JsonArray items:
                for (var index = 0; index < items.Count; index++)
                {
                    path.Push(index);
                    Prune(items[index], PreservesAll(schema) ? schema!.Items ?? schema : schema?.Items, path, unknown);
                    path.Pop();
                }

                break;
        }
    }

    private static void PruneMembers(JsonObject members, StructuralSchema? schema, bool isResource, FieldPath path, List<string> unknown)
    {
        List<string>? unwanted = null;
        foreach (var (name, member) in members)
        {
            var known = isResource && name == "metadata" ? ObjectMeta.Schema : schema?.Member(name);
            if (known is not null)
            {
                path.Push(name);
                Prune(member, known, path, unknown);
                path.Pop();
            }
            else if (!(isResource && name is "apiVersion" or "kind") && schema?.PreservesUnknownFields != true)
            {
                (unwanted ??= []).Add(name);
                if (unknown.Count < MaxPaths)
                {
                    unknown.Add(path.Of(name));
                }
            }
        }

        unwanted?.ForEach(name => members.Remove(name));
    }

    private static bool PreservesAll(StructuralSchema? schema) => schema is { PreservesUnknownFields: true };
}
