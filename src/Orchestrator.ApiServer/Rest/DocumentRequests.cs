using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.OpenApi;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Answers what the server says of itself: version, discovery, OpenAPI. Each document is made when first asked for, then kept.</summary>
internal sealed class DocumentRequests(ResourceRegistry registry)
{
    private readonly DiscoveryDocuments _discovery = new(registry);
    private readonly OpenApiDocuments _openApi = new(registry, ServerVersion.Git);
    private readonly ConcurrentDictionary<string, (byte[] Bytes, string Tag)> _documents = new(StringComparer.Ordinal);

    /// <returns>False when the path is none of a document.</returns>
    public async Task<bool> TryAnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimEnd('/');
        switch (path.Trim('/').Split('/'))
        {
            case [""]:
                await DocumentAsync(context, "/", Paths);
                return true;
            case ["version"]:
                await DocumentAsync(context, path, ServerVersion.ToJson);
                return true;
            case ["api"] or ["apis"]:
                await DiscoveryAsync(context, path, isCore: path == "/api");
                return true;
            case ["api", var version]:
                await DocumentAsync(context, path, () => _discovery.ApiResources("", version));
                return true;
            case ["apis", var group]:
                await DocumentAsync(context, path, () => _discovery.ApiGroup(group));
                return true;
            case ["apis", var group, var version]:
                await DocumentAsync(context, path, () => _discovery.ApiResources(group, version));
                return true;
            case ["openapi", "v2"]:
                await OpenApiAsync(context, _openApi.V2);
                return true;
            case ["openapi", "v3"]:
                await OpenApiAsync(context, _openApi.V3Index);
                return true;
            case ["openapi", "v3", .. var rest]:
                await OpenApiAsync(context, _openApi.V3(string.Join('/', rest)));
                return true;
            default:
                return false;
        }
    }

    private async Task DiscoveryAsync(HttpContext context, string path, bool isCore)
    {
        if (ContentNegotiation.ForDiscovery(context.Request.Headers.Accept) is not { } form)
        {
            await Answer.StatusAsync(context, Status.NotAcceptable("application/json"));
            return;
        }

        context.Response.Headers.Vary = "Accept";
        var address = context.Request.Host.Value ?? "";
        await DocumentAsync(
            context,
            $"{path}:{form}:{address}",
            () => form != DiscoveryForm.Plain ? AggregatedDiscovery.Of(registry, isCore, form)
                : isCore ? _discovery.ApiVersions(address)
                : _discovery.ApiGroups(),
            ContentNegotiation.ContentType(form));
    }

    private async Task DocumentAsync(HttpContext context, string key, Func<JsonObject?> make, string type = Answer.Json)
    {
        if (!_documents.TryGetValue(key, out var document))
        {
            if (make() is not { } made)
            {
                await Answer.StatusAsync(context, Status.UnknownPath());
                return;
            }

            var bytes = Answer.Encode(made);
            document = (bytes, EntityTag.Of(bytes));
            // A key may have the client's Host header in it: keep few.
            if (_documents.Count < 256)
            {
                _documents[key] = document;
            }
        }

        await TaggedAsync(context, document.Bytes, document.Tag, type);
    }

    private static Task OpenApiAsync(HttpContext context, OpenApiDocument? document)
    {
        // Old clients read protobuf alone here, and take JSON for broken protobuf.
        if (!MediaRange.Parse(context.Request.Headers.Accept).Any(range => range.Covers(OpenApiDocuments.ContentType)))
        {
            return Answer.StatusAsync(context, Status.NotAcceptable(OpenApiDocuments.ContentType));
        }

        return document is null
            ? Answer.StatusAsync(context, Status.UnknownPath())
            : TaggedAsync(context, document.Json, $"\"{document.Hash}\"", OpenApiDocuments.ContentType);
    }

    private static Task TaggedAsync(HttpContext context, ReadOnlyMemory<byte> bytes, string tag, string type)
    {
        context.Response.Headers.ETag = tag;
        if (EntityTag.Matches(context.Request.Headers.IfNoneMatch, tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return Answer.BytesAsync(context, StatusCodes.Status200OK, bytes, type);
    }

    private JsonObject Paths() => new()
    {
        ["paths"] = new JsonArray(
        [
            "/api", "/apis",
            .. registry.All.Select(resource => resource.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.Group}/{resource.Version}")
                .Distinct()
                .Select(path => (JsonNode)path),
            "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version",
        ]),
    };
}
