using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Rest;

/// <summary>An object that a client sent.</summary>
/// <param name="Faults">What is wrong with the text but does not keep it from being read, such as duplicate fields.</param>
internal sealed record SentObject(JsonObject Object, IReadOnlyList<string> Faults);

/// <summary>From bodies to objects of the kind that is expected.</summary>
internal static class BodyReader
{
    public static async Task<Outcome<ParsedDocument>> PatchAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, cancellationToken);
        return body.Failed ? body.Failure : RequestBody.DecodePatch(body.Value);
    }

    /// <summary>An object of this resource, with its apiVersion and kind.</summary>
    public static async Task<Outcome<SentObject>> ObjectAsync(
        HttpRequest request, ResourceDefinition definition, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, cancellationToken);
        if (body.Failed)
        {
            return body.Failure;
        }

        var document = RequestBody.Decode(request, body.Value);
        if (document.Failed)
        {
            return document.Failure;
        }

        if (RequestBody.Object(document.Value) is not { } sent)
        {
            return Status.BadRequest("the body of the request must be an object");
        }

        return Fit(sent, definition) is { } refused ? refused : new SentObject(sent, RequestBody.Faults(document.Value));
    }

    private static Status? Fit(JsonObject sent, ResourceDefinition definition)
    {
        var (apiVersion, kind) = (sent.Text("apiVersion"), sent.Text("kind"));
        if (definition.IsCustom && (kind.Length == 0 || apiVersion.Length == 0))
        {
            return Status.BadRequest($"Object '{(kind.Length == 0 ? "Kind" : "apiVersion")}' is missing in the body of the request");
        }

        if (apiVersion.Length > 0 && apiVersion != definition.ApiVersion)
        {
            return Status.BadRequest(
                $"the API version in the data ({apiVersion}) does not match the expected API version ({definition.ApiVersion})");
        }

        if (kind.Length > 0 && kind != definition.Kind)
        {
            return Status.BadRequest($"the object provided is unrecognized (must be of type {definition.Kind}): it is of kind {kind}");
        }

        if (sent["metadata"] is not (null or JsonObject))
        {
            return Status.BadRequest("metadata must be an object");
        }

        (sent["apiVersion"], sent["kind"]) = (definition.ApiVersion, definition.Kind);
        return null;
    }
}
