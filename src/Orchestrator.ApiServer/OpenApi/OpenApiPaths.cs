using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.OpenApi;

/// <summary>
/// The operations of each resource. Clients read them for two things: which kind is behind a URL (explain), and whether a write takes
/// <c>fieldValidation</c> and <c>dryRun</c> (apply, create).
/// </summary>
internal sealed class OpenApiPaths(OpenApiDialect dialect)
{
    private static readonly string[] JsonBody = ["application/json", "application/yaml"];

    private static readonly string[] CustomPatches =
        ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

    private static readonly string[] BuiltinPatches = [.. CustomPatches, "application/strategic-merge-patch+json"];

    public JsonObject Of(IEnumerable<ResourceDefinition> resources)
    {
        var paths = new JsonObject();
        foreach (var resource in resources)
        {
            AddResource(paths, resource);
        }

        return paths;
    }

    private void AddResource(JsonObject paths, ResourceDefinition resource)
    {
        var root = resource.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.Group}/{resource.Version}";
        var collection = resource.Namespaced ? $"{root}/namespaces/{{namespace}}/{resource.Plural}" : $"{root}/{resource.Plural}";
        if (resource.Namespaced && resource.Verbs.Contains("list"))
        {
            Add(paths, $"{root}/{resource.Plural}", [], ("get", List(resource)));
        }

        var space = resource.Namespaced ? [("namespace", "Namespace of the object.")] : Array.Empty<(string, string)>();
        Add(
            paths,
            collection,
            space,
            ("get", Has(resource, "list") ? List(resource) : null),
            ("post", Has(resource, "create") ? Write(resource, "post", OpenApiDefinitions.NameOf(resource), JsonBody, "201", "Created") : null),
            ("delete", Has(resource, "deletecollection") ? Delete(resource, "deletecollection") : null));
        if (!Has(resource, "get"))
        {
            return;
        }

        (string, string)[] named = [.. space, ("name", "Name of the object.")];
        Add(paths, $"{collection}/{{name}}", named, [.. Item(resource, OpenApiDefinitions.NameOf(resource), null), ("delete", Has(resource, "delete") ? Delete(resource, "delete") : null)]);
        if (resource.HasStatus)
        {
            Add(paths, $"{collection}/{{name}}/status", named, [.. Item(resource, OpenApiDefinitions.NameOf(resource), null)]);
        }

        if (resource.Scale is not null)
        {
            var scale = OpenApiDefinitions.GroupVersionKind("autoscaling", "v1", "Scale");
            Add(paths, $"{collection}/{{name}}/scale", named, [.. Item(resource, SharedSchemas.Scale, scale)]);
        }
    }

    private IEnumerable<(string Verb, JsonObject? Operation)> Item(ResourceDefinition resource, string definition, JsonObject? kind)
    {
        yield return ("get", Operation(resource, "get", kind, [Query("resourceVersion", "string", "Oldest version that will do.")], Answers(definition)));
        if (Has(resource, "update"))
        {
            yield return ("put", Write(resource, "put", definition, JsonBody, "201", "Created", kind));
        }

        if (Has(resource, "patch"))
        {
            var force = Query("force", "boolean", "For server-side apply: take fields from other managers.");
            var patch = Write(
                resource, "patch", OpenApiDefinitions.Patch, resource.IsCustom ? CustomPatches : BuiltinPatches, "201", "Created", kind, definition);
            ((JsonArray)patch["parameters"]!).Add((JsonNode)force);
            yield return ("patch", patch);
        }
    }

    private JsonObject List(ResourceDefinition resource) => Operation(
        resource,
        "list",
        null,
        [
            Query("labelSelector", "string", "Only objects whose labels it selects."),
            Query("fieldSelector", "string", "Only objects whose fields it selects."),
            Query("limit", "integer", "Most objects in one answer."),
            Query("continue", "string", "Where to go on."),
            Query("resourceVersion", "string", "Version to list or to watch from."),
            Query("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
            Query("watch", "boolean", "Tell changes as they come."),
            Query("allowWatchBookmarks", "boolean", "Tell the version now and then."),
            Query("sendInitialEvents", "boolean", "Begin a watch with what is there."),
            Query("timeoutSeconds", "integer", "Seconds after which a watch ends."),
        ],
        Answers(OpenApiDefinitions.ListNameOf(resource)));

    private JsonObject Delete(ResourceDefinition resource, string action)
    {
        var operation = Operation(
            resource,
            action,
            null,
            [
                Query("dryRun", "string", "All: everything is done but nothing stored."),
                Query("gracePeriodSeconds", "integer", "Seconds it may take to end on its own."),
                Query("propagationPolicy", "string", "What becomes of what it owns: Orphan, Background or Foreground."),
            ],
            Answers(OpenApiDefinitions.Status));
        dialect.SetBody(operation, (JsonArray)operation["parameters"]!, SharedSchemas.DeleteOptions, JsonBody);
        return operation;
    }

    private JsonObject Write(
        ResourceDefinition resource,
        string action,
        string body,
        IReadOnlyList<string> mediaTypes,
        string code,
        string description,
        JsonObject? kind = null,
        string? answer = null)
    {
        var answers = Answers(answer ?? body);
        answers[code] = dialect.Response(description, answer ?? body);
        var operation = Operation(
            resource,
            action,
            kind,
            [
                Query("dryRun", "string", "All: everything is done but nothing stored."),
                Query("fieldManager", "string", "Who makes the change, for managedFields."),
                Query("fieldValidation", "string", "What unknown and duplicate fields are: Ignore, Warn or Strict."),
            ],
            answers);
        dialect.SetBody(operation, (JsonArray)operation["parameters"]!, body, mediaTypes);
        return operation;
    }

    private static JsonObject Operation(ResourceDefinition resource, string action, JsonObject? kind, JsonObject[] parameters, JsonObject answers) => new()
    {
        ["parameters"] = new JsonArray([.. parameters]),
        ["responses"] = answers,
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] =
            kind?.DeepClone() ?? OpenApiDefinitions.GroupVersionKind(resource.Group, resource.Version, resource.Kind),
    };

    private JsonObject Answers(string definition) => new() { ["200"] = dialect.Response("OK", definition) };

    private JsonObject Query(string name, string type, string description) => dialect.Parameter(name, "query", type, description);

    private void Add(
        JsonObject paths,
        string path,
        IReadOnlyList<(string Name, string Description)> placeholders,
        params ReadOnlySpan<(string Verb, JsonObject? Operation)> operations)
    {
        var item = new JsonObject();
        foreach (var (verb, operation) in operations)
        {
            if (operation is not null)
            {
                operation["operationId"] = OperationId(verb, path);
                item[verb] = operation;
            }
        }

        if (item.Count > 0)
        {
            if (placeholders.Count > 0)
            {
                item["parameters"] = new JsonArray(
                    [.. placeholders.Select(each => dialect.Parameter(each.Name, "path", "string", each.Description))]);
            }

            paths[path] = item;
        }
    }

    /// <summary>Unique in a document, as the specification wants it; readable, as generators of clients want it.</summary>
    private static string OperationId(string verb, string path) => verb + string.Concat(
        path.Split('/', '.', '-').Where(part => part.Length > 0).Select(part => part.Trim('{', '}')).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));

    private static bool Has(ResourceDefinition resource, string verb) => resource.Verbs.Contains(verb);
}
