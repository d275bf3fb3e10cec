using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Tables;

namespace Orchestrator.ApiServer.Rest;

/// <summary>
/// Lists: one snapshot, in order of namespace and name, whole or in pieces. Later pieces are of the first one's revision, rebuilt from the
/// change log, so that a list in pieces is as consistent as a whole one.
/// </summary>
internal sealed class ListRequests(ObjectStore store, TimeProvider time)
{
    /// <summary>Bytes after which what was written is sent on, so that a large list is not held twice.</summary>
    private const int FlushEvery = 256 * 1024;

    public async Task AnswerAsync(
        HttpContext context, ServedResource resource, RequestTarget target, ObjectRepresentation form, CancellationToken cancellationToken)
    {
        var page = Read(context.Request, resource, target);
        if (page.Failed)
        {
            await Answer.StatusAsync(context, page.Failure);
            return;
        }

        if (form.Form == ObjectForm.Plain)
        {
            await WriteAsync(context, resource, page.Value, cancellationToken);
            return;
        }

        var objects = page.Value.Items.Select(item => JsonText.Parse(item.Json));
        if (form.Form == ObjectForm.PartialMetadata)
        {
            await Answer.NodeAsync(context, StatusCodes.Status200OK, PartialMetadata.ListOf(objects, page.Value.Metadata(), form.Version));
            return;
        }

        if (ResourceTable.ParseIncludeObject(context.Request.Query["includeObject"]) is not { } include)
        {
            await Answer.StatusAsync(context, Status.BadRequest($"unrecognized includeObject value: \"{context.Request.Query["includeObject"]}\""));
            return;
        }

        var table = resource.Table.Render(objects, page.Value.Metadata(), time.GetUtcNow(), form.Version, include);
        await Answer.NodeAsync(context, StatusCodes.Status200OK, table);
    }

    private Outcome<Page> Read(HttpRequest request, ServedResource resource, RequestTarget target)
    {
        var selector = RequestQuery.Selector(request, resource, target);
        if (selector.Failed)
        {
            return selector.Failure;
        }

        var start = Start(request);
        if (start.Failed)
        {
            return start.Failure;
        }

        var limit = RequestQuery.Number(request, "limit") ?? long.MaxValue;
        var items = new List<StoredObject>();
        long remaining = 0;
        try
        {
            var revision = store.List(
                resource.Definition.GroupResource, selector.Value.Namespace, start.Value.After, start.Value.At, item =>
                {
                    if (items.Count == limit && !selector.Value.HasSelectors)
                    {
                        remaining++;
                    }
                    else if (selector.Value.Matches(item))
                    {
                        if (items.Count == limit)
                        {
                            remaining = 1;
                            return false;
                        }

                        items.Add(item);
                    }

                    return true;
                });
            var next = remaining > 0 ? new ContinueToken(revision, items[^1].Key.Namespace, items[^1].Key.Name).Encode() : null;
            return new Page(items, revision, next, selector.Value.HasSelectors || remaining == 0 ? null : remaining);
        }
        catch (RevisionExpiredException expired)
        {
            return Status.Expired(start.Value.IsContinued
                ? "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
                    + "continue parameter."
                : $"The resourceVersion for the provided list is too old: {expired.Message}");
        }
    }

    private Outcome<ListStart> Start(HttpRequest request)
    {
        var version = (string?)request.Query["resourceVersion"];
        var match = (string?)request.Query["resourceVersionMatch"];
        var revision = RequestQuery.Revision(version);
        if (revision < 0)
        {
            return RequestQuery.BadRevision(version);
        }

        if (request.Query["continue"].ToString() is { Length: > 0 } token)
        {
            if (revision > 0)
            {
                return Status.BadRequest("specifying resource version is not allowed when using continue");
            }

            return ContinueToken.Decode(token) is { } from
                ? new ListStart((from.Namespace, from.Name), from.Revision, IsContinued: true)
                : Status.BadRequest("continue key is not valid");
        }

        if (!string.IsNullOrEmpty(match) && string.IsNullOrEmpty(version))
        {
            return Status.InvalidOptions(
                "ListOptions", "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
        }

        if (match is not (null or "" or "Exact" or "NotOlderThan"))
        {
            return Status.InvalidOptions(
                "ListOptions",
                "resourceVersionMatch",
                $"Unsupported value: \"{match}\": supported values: \"Exact\", \"NotOlderThan\", \"\"");
        }

        if (match == "Exact" && revision == 0)
        {
            return Status.InvalidOptions(
                "ListOptions", "resourceVersionMatch", "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }

        if (revision > store.Revision && store.CurrentRevision() is var current && revision > current)
        {
            return Status.TooLargeRevision(revision, current);
        }

        return new ListStart(("", ""), match == "Exact" ? revision : null, IsContinued: false);
    }

    private static async Task WriteAsync(HttpContext context, ServedResource resource, Page page, CancellationToken cancellationToken)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = Answer.Json;
        context.Response.Headers.CacheControl = "no-cache, private";
        var body = context.Response.BodyWriter;
        var head = new JsonObject
        {
            ["kind"] = resource.Definition.ListKind,
            ["apiVersion"] = resource.Definition.ApiVersion,
            ["metadata"] = page.Metadata(),
        }.ToJsonString();
        Write(body, Encoding.UTF8.GetBytes($"{head[..^1]},\"items\":["));
        for (var i = 0; i < page.Items.Count; i++)
        {
            if (i > 0)
            {
                Write(body, ","u8);
            }

            Write(body, page.Items[i].Json);
            if (body.UnflushedBytes > FlushEvery)
            {
                await body.FlushAsync(cancellationToken);
            }
        }

        Write(body, "]}\n"u8);
        await body.FlushAsync(cancellationToken);
    }

    private static void Write(PipeWriter body, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(body.GetSpan(bytes.Length));
        body.Advance(bytes.Length);
    }

    private sealed record ListStart((string Namespace, string Name) After, long? At, bool IsContinued);

    private sealed record Page(IReadOnlyList<StoredObject> Items, long Revision, string? Continue, long? Remaining)
    {
        public JsonObject Metadata()
        {
            var metadata = new JsonObject { ["resourceVersion"] = Revision.ToString(CultureInfo.InvariantCulture) };
            if (Continue is not null)
            {
                metadata["continue"] = Continue;
            }

            if (Remaining is not null)
            {
                metadata["remainingItemCount"] = Remaining;
            }

            return metadata;
        }
    }
}
