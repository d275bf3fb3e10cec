using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Watching;

/// <summary>
/// One client's watch: a position in the stream of changes, moved on as fast as the client reads. Every change is told once and in order,
/// and no bookmark is ahead of what was told.
/// </summary>
internal sealed class Watch(ObjectStore store, ChangeFeed feed, TimeProvider time)
{
    /// <summary>Changes told between two flushes at most.</summary>
    private const int Batch = 256;

    /// <summary>
    /// How often a watch that wants bookmarks gets one. Far below the change log's reach, so that a watch on a quiet resource can
    /// always be resumed.
    /// </summary>
    private static readonly TimeSpan BookmarkPeriod = TimeSpan.FromSeconds(60);

    private readonly List<Change> _changes = new(Batch);

    /// <summary>Returns when the time is over or the log no longer reaches back to the position.</summary>
    public async Task RunAsync(WatchOptions options, IWatchWriter writer, CancellationToken cancellationToken)
    {
        // First of all: from here on, whatever is published is in the stream.
        var stream = feed.Of(options.Resource.Definition.GroupResource);
        var started = time.GetTimestamp();
        var position = options.After ?? WriteInitial(options, writer);
        var bookmarked = position;
        if (options.After is null && options.MarkInitialEnd)
        {
            writer.WriteBookmark(Bookmark(options.Resource, position, initialEnd: true));
        }

        await writer.FlushAsync(cancellationToken);
        var nextBookmark = BookmarkPeriod;
        while (!cancellationToken.IsCancellationRequested)
        {
            if (Read(stream, options.Resource, position) is not { } reached)
            {
                writer.WriteError(Status.Expired($"too old resource version: {position}"));
                await writer.FlushAsync(cancellationToken);
                return;
            }

            position = Math.Max(position, reached);
            if (_changes.Count > 0)
            {
                foreach (var change in _changes)
                {
                    Tell(change, options, writer);
                }

                await writer.FlushAsync(cancellationToken);
            }

            var elapsed = time.GetElapsedTime(started);
            var isOver = elapsed >= options.Timeout;
            if (options.AllowBookmarks && (isOver || elapsed >= nextBookmark))
            {
                nextBookmark = elapsed + BookmarkPeriod;
                if (position > bookmarked)
                {
                    writer.WriteBookmark(Bookmark(options.Resource, position, initialEnd: false));
                    bookmarked = position;
                    await writer.FlushAsync(cancellationToken);
                }
            }

            if (isOver)
            {
                return;
            }

            if (_changes.Count == 0)
            {
                var pause = options.AllowBookmarks && nextBookmark < options.Timeout ? nextBookmark - elapsed : options.Timeout - elapsed;
                await stream.WhenChangedAsync(position)
                    .WaitAsync(pause, time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Fills <see cref="_changes"/> with the next ones.</summary>
    /// <returns>The revision up to which nothing is missing then; null when the changes after the position are gone.</returns>
    private long? Read(ChangeStream stream, ServedResource resource, long position)
    {
        _changes.Clear();
        // Read before the stream: what was published by then is in what is read.
        var published = feed.Revision;
        if (stream.TryRead(position, Batch, _changes))
        {
            return _changes.Count == 0 ? published : _changes[^1].Revision;
        }

        try
        {
            return store.Changes(resource.Definition.GroupResource, position, Batch, _changes);
        }
        catch (RevisionExpiredException)
        {
            return null;
        }
    }

    private long WriteInitial(WatchOptions options, IWatchWriter writer) => store.List(
        options.Resource.Definition.GroupResource, options.Selector.Namespace, ("", ""), null, item =>
        {
            if (options.Selector.Matches(item))
            {
                writer.Write("ADDED", item.Json, () => JsonText.Parse(item.Json));
            }

            return true;
        });

    /// <summary>To a watch with a selector, an object appears and disappears as it starts and stops to match.</summary>
    private static void Tell(Change change, WatchOptions options, IWatchWriter writer)
    {
        var selector = options.Selector;
        if (!selector.Covers(change.Key))
        {
            return;
        }

        var before = change.Previous is not null && (!selector.HasSelectors || selector.Matches(change.PreviousObject!));
        var after = change.Type != ChangeType.Deleted && (!selector.HasSelectors || selector.Matches(change.Object));
        switch (before, after)
        {
            case (true, true):
                writer.Write("MODIFIED", change.Json, () => change.Object);
                break;
            case (false, true):
                writer.Write("ADDED", change.Json, () => change.Object);
                break;
            case (true, false) when change.Type == ChangeType.Deleted:
                writer.Write("DELETED", change.Json, () => change.Object);
                break;
            case (true, false):
                // What the client knew, under the revision of what made it disappear.
                var last = EncodedObject.From(change.PreviousObject!).WithRevision(change.Revision);
                writer.Write("DELETED", last, () => JsonText.Parse(last));
                break;
        }
    }

    private static JsonObject Bookmark(ServedResource resource, long revision, bool initialEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (initialEnd)
        {
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        }

        return new JsonObject
        {
            ["kind"] = resource.Definition.Kind,
            ["apiVersion"] = resource.Definition.ApiVersion,
            ["metadata"] = metadata,
        };
    }
}
