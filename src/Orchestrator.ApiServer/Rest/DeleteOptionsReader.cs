using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.Rest;

/// <summary>
/// How to delete: the body if there is one, overruled by what is in the query. What cannot be read is refused: an option that is passed
/// over would delete what its sender meant to keep.
/// </summary>
internal static class DeleteOptionsReader
{
    private const string Kind = "DeleteOptions";

    private static readonly Lazy<StructuralSchema> Schema = new(() => SharedSchemas.Parse(SharedSchemas.DeleteOptions));

    public static async Task<Outcome<DeleteOptions>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var write = RequestQuery.Write(request, Kind, []);
        if (write.Failed)
        {
            return write.Failure;
        }

        var body = await BodyAsync(request, cancellationToken);
        if (body.Failed)
        {
            return body.Failure;
        }

        var sent = body.Value;
        var dryRun = Metadata.Texts(sent["dryRun"]);
        if (RequestQuery.CheckDryRun(Kind, dryRun) is { } unsupported)
        {
            return unsupported;
        }

        var policy = (string?)request.Query["propagationPolicy"] is { Length: > 0 } asked ? asked : sent.Text("propagationPolicy");
        Propagation? propagation = policy switch
        {
            "Background" => Propagation.Background,
            "Foreground" => Propagation.Foreground,
            "Orphan" => Propagation.Orphan,
            _ => null,
        };
        if (policy.Length > 0 && propagation is null)
        {
            return Status.InvalidOptions(
                Kind,
                "propagationPolicy",
                $"Unsupported value: \"{policy}\": supported values: \"Foreground\", \"Background\", \"Orphan\"");
        }

        var orphan = RequestQuery.Flag(request, "orphanDependents") || sent["orphanDependents"]?.GetValueKind() == JsonValueKind.True;
        var preconditions = sent["preconditions"] as JsonObject ?? [];
        return new DeleteOptions
        {
            Write = new WriteOptions { DryRun = write.Value.DryRun || dryRun.Contains("All") },
            Propagation = propagation ?? (orphan ? Propagation.Orphan : null),
            Uid = preconditions.Text("uid"),
            ResourceVersion = preconditions.Text("resourceVersion"),
        };
    }

    /// <summary>What is in the body, its types checked; nothing is nothing asked.</summary>
    private static async Task<Outcome<JsonObject>> BodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, cancellationToken);
        if (body.Failed)
        {
            return body.Failure;
        }

        if (body.Value.Length == 0)
        {
            return new JsonObject();
        }

        var document = RequestBody.Decode(request, body.Value);
        if (document.Failed)
        {
            return document.Failure;
        }

        return document.Value.Root switch
        {
            null => new JsonObject(),
            JsonObject sent when Fit(sent) is { } refused => refused,
            JsonObject sent => sent,
            _ => Status.BadRequest("the body of the request must be an object"),
        };
    }

    private static Status? Fit(JsonObject sent)
    {
        // Any apiVersion: the kind is in every group.
        if (sent.Text("kind") is not ("" or Kind) and var kind)
        {
            return Status.BadRequest($"the object provided is unrecognized (must be of type {Kind}): it is of kind {kind}");
        }

        var errors = new FieldErrors();
        Defaulting.Apply(sent, Schema.Value);
        SchemaValidation.Validate(sent, Schema.Value, errors);
        return errors.Count == 0 ? null : Status.BadRequest($"{Kind} cannot be read: {errors}");
    }
}
