using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Tables;
using Orchestrator.ApiServer.Watching;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Answers what is asked of stored resources: finds the object, decodes the body, writes by the rules, shows the result.</summary>
internal sealed class ResourceRequests(
    ObjectStore store, ObjectWriter writer, ListRequests lists, WatchRequests watches, TimeProvider time)
{
    private static readonly string[] PatchTypes = ["application/json-patch+json", "application/merge-patch+json"];

    public async Task AnswerAsync(HttpContext context, ServedResource resource, RequestTarget target)
    {
        var allowForms = target.Subresource != "scale" && target.Verb is "get" or "list" or "watch" or "create" or "update" or "patch";
        if (ContentNegotiation.ForObject(context.Request.Headers.Accept, allowForms) is not { } form)
        {
            await Answer.StatusAsync(context, Status.NotAcceptable("application/json"));
            return;
        }

        var cancelled = context.RequestAborted;
        switch (target.Verb)
        {
            case "list":
                await lists.AnswerAsync(context, resource, target, form, cancelled);
                break;
            case "watch":
                await watches.AnswerAsync(context, resource, target, form);
                break;
            case "get":
                await ShowAsync(context, resource, target, form, Get(context.Request, resource, target));
                break;
            case "create":
                var created = await CreateAsync(context, resource, target, cancelled);
                await ShowAsync(context, resource, target, form, created, StatusCodes.Status201Created);
                break;
            case "update" or "patch":
                await ShowAsync(context, resource, target, form, await UpdateAsync(context, resource, target, cancelled));
                break;
            case "delete":
                await DeleteAsync(context, resource, target, cancelled);
                break;
            case "deletecollection":
                await DeleteCollectionAsync(context, resource, target, cancelled);
                break;
            default:
                await Answer.StatusAsync(context, Status.MethodNotAllowed());
                break;
        }
    }

    private Outcome<Written> Get(HttpRequest request, ServedResource resource, RequestTarget target)
    {
        var version = (string?)request.Query["resourceVersion"];
        var revision = RequestQuery.Revision(version);
        if (revision < 0)
        {
            return RequestQuery.BadRevision(version);
        }

        if (revision > store.Revision && store.CurrentRevision() is var current && revision > current)
        {
            return Status.TooLargeRevision(revision, current);
        }

        return store.Get(resource.Key(target.Namespace, target.Name)) is { } stored
            ? new Written(stored.Json)
            : Status.NotFound(resource.Definition, target.Name);
    }

    private async Task<Outcome<Written>> CreateAsync(
        HttpContext context, ServedResource resource, RequestTarget target, CancellationToken cancellationToken)
    {
        var body = await BodyReader.ObjectAsync(context.Request, resource.Definition, cancellationToken);
        if (body.Failed)
        {
            return body.Failure;
        }

        var options = RequestQuery.Write(context.Request, "CreateOptions", body.Value.Faults);
        if (options.Failed)
        {
            return options.Failure;
        }

        var written = await writer.CreateAsync(resource, target.Namespace, body.Value.Object, options.Value, cancellationToken);
        Answer.Warn(context, options.Value.Warnings);
        return written;
    }

    private async Task<Outcome<Written>> UpdateAsync(
        HttpContext context, ServedResource resource, RequestTarget target, CancellationToken cancellationToken)
    {
        var isPatch = target.Verb == "patch";
        var change = isPatch
            ? await ReadPatchAsync(context.Request, resource, cancellationToken)
            : await ReadUpdateAsync(context.Request, resource, target, cancellationToken);
        if (change.Failed)
        {
            return change.Failure;
        }

        var options = RequestQuery.Write(context.Request, isPatch ? "PatchOptions" : "UpdateOptions", change.Value.Faults);
        if (options.Failed)
        {
            return options.Failure;
        }

        var apply = change.Value.Apply;
        if (target.Subresource == "scale")
        {
            apply = current => Scale.Change(resource, current, change.Value.Apply, options.Value);
        }

        var key = resource.Key(target.Namespace, target.Name);
        var written = await writer.UpdateAsync(resource, key, target.Subresource, apply, options.Value, cancellationToken);
        Answer.Warn(context, options.Value.Warnings);
        return written;
    }

    private static async Task<Outcome<Change>> ReadUpdateAsync(
        HttpRequest request, ServedResource resource, RequestTarget target, CancellationToken cancellationToken)
    {
        var body = await BodyReader.ObjectAsync(
            request, target.Subresource == "scale" ? Scale.Definition : resource.Definition, cancellationToken);
        if (body.Failed)
        {
            return body.Failure;
        }

        var sent = body.Value.Object;
        var name = Metadata.Of(sent).Text("name");
        if (name != target.Name)
        {
            return Status.BadRequest($"the name of the object ({name}) does not match the name on the URL ({target.Name})");
        }

        // Copied, since a round against a faster writer starts again from what was sent.
        return new Change(_ => (JsonObject)sent.DeepClone(), body.Value.Faults);
    }

    private static async Task<Outcome<Change>> ReadPatchAsync(
        HttpRequest request, ServedResource resource, CancellationToken cancellationToken)
    {
        var type = RequestBody.MediaType(request);
        var strategies = Patch.PatchStrategies.Of(resource.Definition.Group, resource.Definition.Kind);
        Func<JsonObject, JsonNode?, Patch.PatchResult>? patch = type switch
        {
            "application/json-patch+json" => Patch.JsonPatch.Apply,
            "application/merge-patch+json" => Patch.MergePatch.Apply,
            "application/strategic-merge-patch+json" when strategies is not null =>
                (current, changes) => Patch.StrategicMergePatch.Apply(current, changes, strategies),
            _ => null,
        };
        if (patch is null)
        {
            IEnumerable<string> accepted = strategies is null ? PatchTypes : [.. PatchTypes, "application/strategic-merge-patch+json"];
            return Status.UnsupportedMediaType(
                (type.StartsWith("application/apply-patch+", StringComparison.Ordinal) ? "server-side apply is not supported by this server: " : "")
                + "the body of the request was in an unknown format - accepted media types include: " + string.Join(", ", accepted));
        }

        var document = await BodyReader.PatchAsync(request, cancellationToken);
        return document.Failed
            ? document.Failure
            : new Change(current => Apply(patch(current, document.Value.Root), resource, current), RequestBody.Faults(document.Value));
    }

    private static Outcome<JsonObject> Apply(Patch.PatchResult result, ServedResource resource, JsonObject current)
    {
        if (result.Succeeded)
        {
            return result.Object;
        }

        return result.Error.Failure switch
        {
            Patch.PatchFailure.BadRequest => Status.BadRequest(result.Error.Message),
            Patch.PatchFailure.TooLarge => Status.TooLarge(result.Error.Message),
            _ => Status.Invalid(
                resource.Definition, Metadata.Of(current).Text("name"), [Schema.FieldError.Invalid("patch", result.Error.Message)]),
        };
    }

    private async Task DeleteAsync(
        HttpContext context, ServedResource resource, RequestTarget target, CancellationToken cancellationToken)
    {
        var options = await DeleteOptionsReader.ReadAsync(context.Request, cancellationToken);
        var written = options.Failed
            ? options.Failure
            : await writer.DeleteAsync(resource, resource.Key(target.Namespace, target.Name), options.Value, cancellationToken);
        if (written.Failed)
        {
            await Answer.StatusAsync(context, written.Failure);
        }
        else if (!written.Value.Gone)
        {
            await Answer.BytesAsync(context, StatusCodes.Status200OK, written.Value.Json);
        }
        else
        {
            var uid = Metadata.Of(JsonText.Parse(written.Value.Json)).Text("uid");
            await Answer.StatusAsync(context, Status.Deleted(resource.Definition, target.Name, uid));
        }
    }

    private async Task DeleteCollectionAsync(
        HttpContext context, ServedResource resource, RequestTarget target, CancellationToken cancellationToken)
    {
        var options = await DeleteOptionsReader.ReadAsync(context.Request, cancellationToken);
        var selector = RequestQuery.Selector(context.Request, resource, target);
        if (options.Failed || selector.Failed)
        {
            await Answer.StatusAsync(context, (options.Failure ?? selector.Failure)!);
            return;
        }

        var (revision, all) = store.List(resource.Definition.GroupResource, selector.Value.Namespace);
        var results = await writer.DeleteAllAsync(resource, all.Where(selector.Value.Matches), options.Value, cancellationToken);
        var failure = results.Select(each => each.Result.Failure).FirstOrDefault(each => each is { Code: not StatusCodes.Status404NotFound });
        if (failure is not null)
        {
            await Answer.StatusAsync(context, failure);
            return;
        }

        var deleted = results.Select(each => (JsonNode)JsonText.Parse(each.Result.Value?.Json ?? each.Item.Json)).ToArray();
        await Answer.NodeAsync(context, StatusCodes.Status200OK, new JsonObject
        {
            ["kind"] = resource.Definition.ListKind,
            ["apiVersion"] = resource.Definition.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            ["items"] = new JsonArray(deleted),
        });
    }

    private async Task ShowAsync(
        HttpContext context,
        ServedResource resource,
        RequestTarget target,
        ObjectRepresentation form,
        Outcome<Written> written,
        int code = StatusCodes.Status200OK)
    {
        if (written.Failed)
        {
            await Answer.StatusAsync(context, written.Failure);
        }
        else if (target.Subresource == "scale")
        {
            await Answer.NodeAsync(context, code, Scale.Of(resource, JsonText.Parse(written.Value.Json)));
        }
        else if (form.Form == ObjectForm.Plain)
        {
            await Answer.BytesAsync(context, code, written.Value.Json);
        }
        else if (form.Form == ObjectForm.PartialMetadata)
        {
            await Answer.NodeAsync(context, code, PartialMetadata.Of(JsonText.Parse(written.Value.Json), form.Version));
        }
        else if (ResourceTable.ParseIncludeObject(context.Request.Query["includeObject"]) is { } include)
        {
            await Answer.NodeAsync(
                context, code, resource.Table.RenderOne(JsonText.Parse(written.Value.Json), time.GetUtcNow(), form.Version, include));
        }
        else
        {
            await Answer.StatusAsync(context, Status.BadRequest($"unrecognized includeObject value: \"{context.Request.Query["includeObject"]}\""));
        }
    }

    /// <param name="Apply">From the current state to the wished one.</param>
    /// <param name="Faults">Of the body, to be dealt with as fieldValidation says.</param>
    private sealed record Change(Func<JsonObject, Outcome<JsonObject>> Apply, IReadOnlyList<string> Faults);
}
