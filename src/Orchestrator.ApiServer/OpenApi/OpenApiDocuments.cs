using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.OpenApi;

/// <summary>A document as it is sent.</summary>
/// <param name="Hash">Of the bytes, in hex; in quotes it is the ETag.</param>
public sealed record OpenApiDocument(ReadOnlyMemory<byte> Json, string Hash);

/// <summary>
/// The OpenAPI documents of the server: <c>/openapi/v2</c>, <c>/openapi/v3</c> and one a group version. Each is made when it is first
/// asked for, and then kept: most runs of the server are never asked.
/// </summary>
public sealed class OpenApiDocuments
{
    /// <summary>Content-Type of all documents.</summary>
    public const string ContentType = "application/json";

    private readonly ResourceRegistry _registry;
    private readonly string _version;
    private readonly Lazy<OpenApiDocument> _v2;
    private readonly Lazy<OpenApiDocument> _index;
    private readonly Dictionary<string, Lazy<OpenApiDocument>> _v3;

    /// <param name="version">Of the server, for <c>info</c>.</param>
    public OpenApiDocuments(ResourceRegistry registry, string version)
    {
        (_registry, _version) = (registry, version);
        _v2 = new Lazy<OpenApiDocument>(() => Seal(MakeV2()));
        _v3 = registry.All.GroupBy(PathOf).ToDictionary(
            group => group.Key, group => new Lazy<OpenApiDocument>(() => Seal(MakeV3([.. group]))), StringComparer.Ordinal);
        _index = new Lazy<OpenApiDocument>(() => Seal(MakeIndex()));
    }

    /// <summary><c>/openapi/v2</c>, in JSON.</summary>
    public OpenApiDocument V2 => _v2.Value;

    /// <summary><c>/openapi/v3</c>: where the others are.</summary>
    public OpenApiDocument V3Index => _index.Value;

    /// <summary><c>/openapi/v3/{path}</c>; null when there is no such document.</summary>
    /// <param name="path"><c>api/v1</c> or <c>apis/orchestrator.dev/v1</c>.</param>
    public OpenApiDocument? V3(string path) => _v3.GetValueOrDefault(path)?.Value;

    private static string PathOf(ResourceDefinition resource) =>
        resource.Group.Length == 0 ? "api/" + resource.Version : $"apis/{resource.Group}/{resource.Version}";

    private JsonObject MakeIndex()
    {
        var paths = new JsonObject();
        foreach (var (path, document) in _v3)
        {
            // With its hash in the URL, a client may keep a document for ever.
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={document.Value.Hash}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    private JsonObject MakeV3(IReadOnlyList<ResourceDefinition> resources) => new()
    {
        ["openapi"] = "3.0.0",
        ["info"] = Info(),
        ["paths"] = new OpenApiPaths(OpenApiDialect.V3).Of(resources),
        ["components"] = new JsonObject { ["schemas"] = OpenApiDefinitions.All(resources, OpenApiDialect.V3) },
    };

    private JsonObject MakeV2() => new()
    {
        ["swagger"] = "2.0",
        ["info"] = Info(),
        ["paths"] = new OpenApiPaths(OpenApiDialect.V2).Of(_registry.All),
        ["definitions"] = OpenApiDefinitions.All(_registry.All, OpenApiDialect.V2),
    };

    private JsonObject Info() => new() { ["title"] = "Orchestrator", ["version"] = _version };

    private static OpenApiDocument Seal(JsonObject document)
    {
        var json = Encoding.UTF8.GetBytes(document.ToJsonString());
        return new OpenApiDocument(json, EntityTag.Hash(json));
    }
}
