using System.Collections.Concurrent;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Watching;

/// <summary>Takes committed changes from the store and hands them to the stream of their resource.</summary>
public sealed class ChangeFeed
{
    private readonly ConcurrentDictionary<string, ChangeStream> _streams = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _revision;

    /// <summary>Every change up to this revision is in its stream.</summary>
    public long Revision => Volatile.Read(ref _revision);

    /// <summary>Called with what each commit changed, on the store's thread: must neither block nor throw. Set before the first change.</summary>
    public Action<IReadOnlyList<Change>>? Committed { get; set; }

    /// <summary>Before the first change: the revision at which the store was opened.</summary>
    public void StartAt(long revision) => Volatile.Write(ref _revision, revision);

    /// <param name="resource">Plural and group, as in <see cref="StorageKey.Resource"/>.</param>
    public ChangeStream Of(string resource)
    {
        if (_streams.TryGetValue(resource, out var stream))
        {
            return stream;
        }

        // Under the lock no change passes between reading the revision and having the stream.
        lock (_lock)
        {
            return _streams.GetOrAdd(resource, static (_, revision) => new ChangeStream(revision), Revision);
        }
    }

    /// <param name="changes">Of one commit, in order.</param>
    public void Publish(IReadOnlyList<Change> changes)
    {
        lock (_lock)
        {
            foreach (var ofResource in changes.GroupBy(change => change.Key.Resource))
            {
                if (_streams.TryGetValue(ofResource.Key, out var stream))
                {
                    stream.Append(ofResource);
                }
            }

            Volatile.Write(ref _revision, changes[^1].Revision);
        }

        Committed?.Invoke(changes);
    }
}
