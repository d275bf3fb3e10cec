using System.Threading.Channels;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Orchestrator.ApiServer.Storage;

/// <summary>
/// The one place where objects are written and revisions given. A thread takes whatever requests wait, applies them in one
/// transaction and answers them all after its one flush to disk: an acknowledged write survives a crash and a power loss, and under load
/// the flush is shared. Watchers are told before writers are answered.
/// </summary>
internal sealed partial class StoreWriter : IAsyncDisposable
{
    /// <summary>Most requests in one transaction: keeps the wait of the first of them short.</summary>
    private const int LargestBatch = 256;

    /// <summary>Requests that may wait; more callers wait for room in the queue.</summary>
    private const int QueueLength = 1024;

    private readonly string _path;
    private readonly Action<IReadOnlyList<Change>> _committed;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WriteStatements _sql;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Channel<Pending> _queue = Channel.CreateBounded<Pending>(
        new BoundedChannelOptions(QueueLength) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    // Of the writer's thread alone.
    private long _revision;

    public StoreWriter(string path, Action<IReadOnlyList<Change>> committed, TimeProvider time, ILogger logger)
    {
        (_path, _committed, _time, _logger) = (path, committed, time, logger);
        _sql = new WriteStatements(path);
        _revision = _sql.ReadRevision();
        _thread = new Thread(Run) { Name = "orchestrator store", IsBackground = true };
        _thread.Start();
    }

    /// <exception cref="StorageException">Nothing was stored.</exception>
    public async Task<WriteResult> WriteAsync(WriteRequest request, CancellationToken cancellationToken)
    {
        var pending = new PendingWrite(request);
        await _queue.Writer.WriteAsync(pending, cancellationToken);
        // Once queued it happens; not to wait for the answer would not undo it.
        return await pending.Answer.Task;
    }

    /// <summary>Removes one batch of the change log's oldest entries and gives the room back.</summary>
    /// <returns>How many went: as many as asked means that there may be more.</returns>
    public async Task<int> CompactAsync(Compaction compaction, CancellationToken cancellationToken)
    {
        var pending = new PendingCompaction(compaction);
        await _queue.Writer.WriteAsync(pending, cancellationToken);
        return await pending.Answer.Task;
    }

    /// <summary>Writes what is queued, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _ended.Task;
        _sql.Dispose();
    }

    private void Run()
    {
        var batch = new List<PendingWrite>(LargestBatch);
        var queue = _queue.Reader;
        try
        {
            while (WaitForRequests(queue))
            {
                batch.Clear();
                PendingCompaction? compaction = null;
                while (compaction is null && batch.Count < LargestBatch && queue.TryRead(out var next))
                {
                    compaction = next as PendingCompaction;
                    if (next is PendingWrite write)
                    {
                        batch.Add(write);
                    }
                }

                Write(batch);
                Compact(compaction);
            }
        }
        finally
        {
            _ended.SetResult();
        }
    }

    // A thread of its own blocks here, not one of the pool's: flushing takes milliseconds that the pool's threads are needed for.
    private static bool WaitForRequests(ChannelReader<Pending> queue)
    {
        var waiting = queue.WaitToReadAsync();
        return waiting.IsCompleted ? waiting.Result : waiting.AsTask().GetAwaiter().GetResult();
    }

    private void Write(List<PendingWrite> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        var changes = new List<Change>(batch.Count);
        var results = new WriteResult[batch.Count];
        try
        {
            InTransaction(() =>
            {
                var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
                for (var i = 0; i < batch.Count; i++)
                {
                    results[i] = Apply(batch[i].Request, now, changes);
                }

                return changes.Count > 0;
            });
        }
        catch (Exception failure)
        {
            var explained = failure is SqliteException sqlite ? StoreFile.Explain(sqlite, _path) : failure;
            Log.WriteFailed(_logger, explained, batch.Count);
            foreach (var pending in batch)
            {
                pending.Answer.SetException(explained);
            }

            return;
        }

        if (changes.Count > 0)
        {
            _committed(changes);
        }

        for (var i = 0; i < batch.Count; i++)
        {
            batch[i].Answer.SetResult(results[i]);
        }
    }

    private WriteResult Apply(WriteRequest request, long now, List<Change> changes)
    {
        var key = request.Key;
        var current = _sql.CurrentRevision(key);
        if (request.Expected is null)
        {
            if (key.Namespace.Length > 0 && _sql.NamespaceProblem(key.Namespace) is { } problem)
            {
                return new WriteResult(problem);
            }

            if (current is not null)
            {
                return new WriteResult(WriteOutcome.AlreadyExists);
            }
        }
        else if (current != request.Expected.Revision)
        {
            return new WriteResult(current is null ? WriteOutcome.NotFound : WriteOutcome.Conflict);
        }

        if (request.DryRun)
        {
            return new WriteResult(WriteOutcome.Written);
        }

        // A revision given to a transaction that then fails is never given again: gaps are harmless, repeats are not.
        var stored = new StoredObject(key, ++_revision, request.Object.WithRevision(_revision));
        var type = request switch
        {
            { Delete: true } => ChangeType.Deleted,
            { Expected: null } => ChangeType.Added,
            _ => ChangeType.Modified,
        };
        _sql.Store(type, stored, request, now, _revision);
        changes.Add(new Change(_revision, type, key, stored.Json, request.Expected?.Json));
        return new WriteResult(WriteOutcome.Written, stored);
    }

    private void Compact(PendingCompaction? pending)
    {
        if (pending is null)
        {
            return;
        }

        try
        {
            var removed = 0;
            InTransaction(() =>
            {
                removed = _sql.Compact(pending.Compaction);
                return removed > 0;
            });
            _sql.GiveBackSpace();
            pending.Answer.SetResult(removed);
        }
        catch (SqliteException failure)
        {
            pending.Answer.SetException(StoreFile.Explain(failure, _path));
        }
    }

    /// <param name="work">Returns whether there is anything to commit.</param>
    private void InTransaction(Func<bool> work)
    {
        _sql.Begin();
        try
        {
            if (!work())
            {
                _sql.Rollback();
                return;
            }

            _sql.SaveRevision(_revision);
            _sql.Commit();
        }
        catch (SqliteException) when (_sql.IsCommitted(_revision))
        {
            // What failed came after the commit: what is on disk must be told, not taken back.
        }
        catch
        {
            _sql.RollbackIfOpen();
            throw;
        }
    }

    private abstract class Pending;

    private sealed class PendingWrite(WriteRequest request) : Pending
    {
        public WriteRequest Request { get; } = request;

        public TaskCompletionSource<WriteResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class PendingCompaction(Compaction compaction) : Pending
    {
        public Compaction Compaction { get; } = compaction;

        public TaskCompletionSource<int> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "{Count} writes could not be stored; their callers are told")]
        public static partial void WriteFailed(ILogger logger, Exception failure, int count);
    }
}
