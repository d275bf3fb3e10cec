using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Storage;
using Orchestrator.ApiServer.Tables;
using Prometheus;

namespace Orchestrator.ApiServer.Watching;

/// <summary>Answers watch requests.</summary>
/// <param name="stopping">Ends all watches when the server stops, so that their clients go elsewhere or come again.</param>
internal sealed class WatchRequests(ObjectStore store, ChangeFeed feed, TimeProvider time, CancellationToken stopping)
{
    /// <summary>
    /// A watch that names no timeout lasts this long, up to twice as long: Kubernetes' own default, spread so that not all come again at
    /// once.
    /// </summary>
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(30);

    public async Task AnswerAsync(HttpContext context, ServedResource resource, RequestTarget target, ObjectRepresentation form)
    {
        var options = Read(context.Request, resource, target);
        if (options.Failed)
        {
            await Answer.StatusAsync(context, options.Failure);
            return;
        }

        if (ResourceTable.ParseIncludeObject(context.Request.Query["includeObject"]) is not { } include)
        {
            await Answer.StatusAsync(context, Status.BadRequest($"unrecognized includeObject value: \"{context.Request.Query["includeObject"]}\""));
            return;
        }

        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = Answer.Json;
        context.Response.Headers.CacheControl = "no-cache, private";
        var body = context.Response.BodyWriter;
        IWatchWriter writer = form.Form switch
        {
            ObjectForm.Table => new TableWatchWriter(body, resource, form.Version, include, time),
            ObjectForm.PartialMetadata => new PartialWatchWriter(body, form.Version),
            _ => new PlainWatchWriter(body),
        };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using (ApiServerMetrics.Watchers.WithLabels(resource.Definition.GroupResource).TrackInProgress())
        {
            await new Watch(store, feed, time).RunAsync(options.Value, writer, ended.Token);
        }
    }

    private Outcome<WatchOptions> Read(HttpRequest request, ServedResource resource, RequestTarget target)
    {
        var selector = RequestQuery.Selector(request, resource, target);
        if (selector.Failed)
        {
            return selector.Failure;
        }

        var version = (string?)request.Query["resourceVersion"];
        var match = (string?)request.Query["resourceVersionMatch"];
        var revision = RequestQuery.Revision(version);
        if (revision < 0)
        {
            return RequestQuery.BadRevision(version);
        }

        var initial = request.Query["sendInitialEvents"] is [{ Length: > 0 } value] ? RequestTarget.IsTrue(value) : (bool?)null;
        if (initial is null && !string.IsNullOrEmpty(match))
        {
            return Status.InvalidOptions(
                "ListOptions", "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }

        if (initial is not null && match != "NotOlderThan")
        {
            return Status.InvalidOptions(
                "ListOptions",
                "resourceVersionMatch",
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }

        if (revision > feed.Revision && revision > store.CurrentRevision())
        {
            // No such revision was ever given here: it is of another store, or of one that was lost.
            return initial is null
                ? Status.Expired($"resource version {revision} is not known: list anew")
                : Status.TooLargeRevision(revision, store.CurrentRevision());
        }

        var timeout = RequestQuery.Number(request, "timeoutSeconds") is { } seconds
            ? TimeSpan.FromSeconds(Math.Min(seconds, (long)TimeSpan.FromDays(1).TotalSeconds))
            : DefaultTimeout + TimeSpan.FromSeconds(RandomNumberGenerator.GetInt32((int)DefaultTimeout.TotalSeconds));
        var fromNow = revision == 0 && initial is false;
        var bookmarks = RequestQuery.Flag(request, "allowWatchBookmarks");
        return new WatchOptions
        {
            Resource = resource,
            Selector = selector.Value,
            After = fromNow ? feed.Revision : initial == true || revision == 0 ? null : revision,
            MarkInitialEnd = initial == true && bookmarks,
            AllowBookmarks = bookmarks,
            Timeout = timeout,
        };
    }
}
