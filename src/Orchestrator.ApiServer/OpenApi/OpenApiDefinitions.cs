using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.OpenApi;

/// <summary>The schemas of a document: those of its kinds and their lists, and those that all kinds share.</summary>
internal static class OpenApiDefinitions
{
    public const string ObjectMetaName = Meta + "ObjectMeta";
    public const string Status = Meta + "Status";
    public const string Patch = Meta + "Patch";

    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    private const string ListMeta = Meta + "ListMeta";

    /// <summary>
    /// <c>io.k8s.api.core.v1.Secret</c>, or <c>dev.orchestrator.v1.WebApp</c>: the group reversed, as Kubernetes names custom kinds.
    /// </summary>
    public static string NameOf(ResourceDefinition resource) => NameOf(resource, resource.Kind);

    public static string ListNameOf(ResourceDefinition resource) => NameOf(resource, resource.ListKind);

    public static JsonObject All(IEnumerable<ResourceDefinition> resources, OpenApiDialect dialect)
    {
        var definitions = new JsonObject { [ObjectMetaName] = dialect.Schema(ObjectMeta.OpenApiSchema) };
        foreach (var (name, schema) in SharedSchemas.All)
        {
            definitions[name] = Resolve((JsonObject)schema!.DeepClone(), dialect);
        }

        foreach (var resource in resources)
        {
            definitions[NameOf(resource)] = Object(resource, dialect);
            if (resource.Verbs.Contains("list"))
            {
                definitions[ListNameOf(resource)] = List(resource, dialect);
            }
        }

        return definitions;
    }

    public static JsonObject GroupVersionKind(string group, string version, string kind) =>
        new() { ["group"] = group, ["kind"] = kind, ["version"] = version };

    private static string NameOf(ResourceDefinition resource, string kind)
    {
        var group = resource.Group.Length == 0 ? "core" : resource.Group;
        if (!resource.IsCustom)
        {
            // Groups of Kubernetes' own go by their first part.
            return $"io.k8s.api.{group.Split('.')[0]}.{resource.Version}.{kind}";
        }

        return string.Join('.', group.Split('.').Reverse()) + $".{resource.Version}.{kind}";
    }

    private static JsonObject Object(ResourceDefinition resource, OpenApiDialect dialect)
    {
        var schema = resource.OpenApiSchema is { } source
            ? dialect.Schema(source)
            : new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
        if (schema["properties"] is not JsonObject properties)
        {
            schema["properties"] = properties = [];
        }

        properties["metadata"] = dialect.Reference(ObjectMetaName, "What every object has, whatever its kind.");
        schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(resource.Group, resource.Version, resource.Kind));
        return schema;
    }

    private static JsonObject List(ResourceDefinition resource, OpenApiDialect dialect) => new()
    {
        ["type"] = "object",
        ["description"] = $"A list of {resource.Kind}.",
        ["required"] = new JsonArray("items"),
        ["properties"] = new JsonObject
        {
            ["apiVersion"] = Text("Version of this representation."),
            ["items"] = new JsonObject
            {
                ["type"] = "array",
                ["description"] = "The objects.",
                ["items"] = dialect.Reference(NameOf(resource)),
            },
            ["kind"] = Text($"{resource.ListKind}."),
            ["metadata"] = dialect.Reference(ListMeta, "What every list has."),
        },
        ["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(resource.Group, resource.Version, resource.ListKind)),
    };

    private static JsonObject Text(string description) => new() { ["type"] = "string", ["description"] = description };

    /// <summary>Turns the names in $ref into references of the dialect.</summary>
    private static JsonObject Resolve(JsonObject schema, OpenApiDialect dialect)
    {
        if ((string?)schema["$ref"] is { } name)
        {
            return (string?)schema["description"] is { } description ? dialect.Reference(name, description) : dialect.Reference(name);
        }

        foreach (var (property, nested) in (schema["properties"] as JsonObject)?.ToList() ?? [])
        {
            schema["properties"]![property] = Resolve((JsonObject)nested!.DeepClone(), dialect);
        }

        if (schema["items"] is JsonObject items)
        {
            schema["items"] = Resolve((JsonObject)items.DeepClone(), dialect);
        }

        return schema;
    }
}
