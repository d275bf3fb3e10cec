using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Watching;

/// <summary>
/// The newest changes of one resource, in memory, for all its watchers: each has only a position in it. A watcher that falls behind
/// further than this reaches reads on from the change log on disk, so a slow one costs no memory and disturbs nobody; only once the log
/// is compacted past it is it told to list anew.
/// </summary>
public sealed class ChangeStream
{
    /// <summary>Most changes kept. A power of two: positions wrap around.</summary>
    private const int MostChanges = 1024;

    /// <summary>Most bytes of objects kept, newest states and previous ones counted: bounds memory where objects are large.</summary>
    private const long MostBytes = 4 * 1024 * 1024;

    private readonly Lock _lock = new();

    /// <summary>A ring: change number <c>n</c> is at <c>n % MostChanges</c>; kept are <c>_first</c> up to, not including, <c>_next</c>.</summary>
    private readonly Change[] _ring = new Change[MostChanges];

    private long _first;
    private long _next;
    private long _bytes;
    private long _completeAfter;
    private long _last;
    private TaskCompletionSource? _waiting;

    /// <param name="revision">The stream has every change after this one.</param>
    public ChangeStream(long revision) => (_completeAfter, _last) = (revision, revision);

    public void Append(IEnumerable<Change> changes)
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            foreach (var change in changes)
            {
                if (_next - _first == MostChanges)
                {
                    DropOldest_NeedsLock();
                }

                _ring[_next++ % MostChanges] = change;
                _bytes += Size(change);
                _last = change.Revision;
            }

            while (_bytes > MostBytes && _next - _first > 1)
            {
                DropOldest_NeedsLock();
            }

            (waiting, _waiting) = (_waiting, null);
        }

        waiting?.SetResult();
    }

    /// <summary>Adds the changes after a revision, oldest first, up to a number of them.</summary>
    /// <returns>False when the stream no longer reaches back that far.</returns>
    public bool TryRead(long after, int limit, List<Change> into)
    {
        lock (_lock)
        {
            if (after < _completeAfter)
            {
                return false;
            }

            for (var position = FirstAfter_NeedsLock(after); position < _next && into.Count < limit; position++)
            {
                into.Add(_ring[position % MostChanges]);
            }

            return true;
        }
    }

    /// <summary>Completes when there is a change after this revision; at once if there is one.</summary>
    public Task WhenChangedAsync(long after)
    {
        lock (_lock)
        {
            return _last > after
                ? Task.CompletedTask
                : (_waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    private long FirstAfter_NeedsLock(long revision)
    {
        var (low, high) = (_first, _next);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (_ring[middle % MostChanges].Revision <= revision)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void DropOldest_NeedsLock()
    {
        ref var oldest = ref _ring[_first++ % MostChanges];
        _bytes -= Size(oldest);
        _completeAfter = oldest.Revision;
        oldest = null!;
    }

    private static long Size(Change change) => change.Json.Length + (change.Previous?.Length ?? 0);
}
