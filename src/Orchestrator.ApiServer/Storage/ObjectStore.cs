using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Orchestrator.ApiServer.Storage;

/// <summary>
/// Objects and their change log in one SQLite file (docs/design/apiserver.md). Reads are synchronous: they come from the page cache and take
/// tens of microseconds.
/// </summary>
public sealed partial class ObjectStore : IAsyncDisposable
{
    /// <summary>How long a watch may be away and still resume: Kubernetes keeps 5 minutes.</summary>
    private static readonly TimeSpan KeptHistory = TimeSpan.FromMinutes(10);

    /// <summary>Entries of the change log kept at most, however young: bounds the file under a storm of writes.</summary>
    private const long KeptChanges = 50_000;

    private const int CompactionBatch = 500;
    private static readonly TimeSpan CompactionPeriod = TimeSpan.FromSeconds(30);

    /// <summary>Idle reading connections kept; more are opened while more reads run at once.</summary>
    private const int KeptReaders = 4;

    private readonly string _path;
    private readonly StoreWriter _writer;
    private readonly ConcurrentBag<StoreReader> _readers = [];
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _maintenance;

    /// <param name="folder">Exists, and is this process' alone (<see cref="DataFolderLock"/>).</param>
    /// <param name="committed">Called after each commit and before the writers are answered, one at a time and in order.</param>
    /// <exception cref="StorageException">The file is damaged, made by a newer version, or cannot be opened.</exception>
    public ObjectStore(string folder, Action<long> startedAt, Action<IReadOnlyList<Change>> committed, TimeProvider time, ILogger logger)
    {
        _path = Path.Combine(folder, StoreFile.Name);
        (_time, _logger) = (time, logger);
        StoreFile.Prepare(_path);
        Revision = Read(reader => reader.Revision());
        startedAt(Revision);
        _writer = new StoreWriter(_path, changes =>
        {
            committed(changes);
            Revision = changes[^1].Revision;
        }, time, logger);
        _maintenance = Task.Run(MaintainAsync);
    }

    /// <summary>The newest revision whose change was passed on.</summary>
    public long Revision
    {
        get => Volatile.Read(ref field);
        private set => Volatile.Write(ref field, value);
    }

    /// <summary>Bytes on disk, the write-ahead log included.</summary>
    public long SizeInBytes => Length(_path) + Length(_path + "-wal");

    /// <summary>The newest revision on disk, whose change may not have been passed on yet.</summary>
    public long CurrentRevision() => Read(reader => reader.Revision());

    public StoredObject? Get(StorageKey key) => Read(reader => reader.Get(key));

    /// <inheritdoc cref="StoreReader.List"/>
    public long List(
        string resource, string? @namespace, (string Namespace, string Name) after, long? at, Func<StoredObject, bool> take) =>
        Read(reader => reader.List(resource, @namespace, after, at, take));

    /// <summary>All objects of a resource.</summary>
    /// <param name="namespace">Null for all.</param>
    public (long Revision, IReadOnlyList<StoredObject> Items) List(string resource, string? @namespace)
    {
        var items = new List<StoredObject>();
        var revision = List(resource, @namespace, ("", ""), null, item =>
        {
            items.Add(item);
            return true;
        });
        return (revision, items);
    }

    /// <inheritdoc cref="StoreReader.Changes"/>
    public long Changes(string resource, long after, int limit, List<Change> into) =>
        Read(reader => reader.Changes(resource, after, limit, into));

    /// <inheritdoc cref="StoreReader.Owned"/>
    public IReadOnlyList<StorageKey> Owned(string uid) => Read(reader => reader.Owned(uid));

    /// <inheritdoc cref="StoreReader.Terminating"/>
    public IReadOnlyList<StorageKey> Terminating() => Read(reader => reader.Terminating());

    public bool HasUid(string uid) => Read(reader => reader.HasUid(uid));

    /// <inheritdoc cref="StoreReader.MissingOwners"/>
    public IReadOnlyList<string> MissingOwners() => Read(reader => reader.MissingOwners());

    /// <inheritdoc cref="StoreWriter.WriteAsync"/>
    public Task<WriteResult> WriteAsync(WriteRequest request, CancellationToken cancellationToken) =>
        _writer.WriteAsync(request, cancellationToken);

    /// <summary>Writes what was accepted and closes the file, its write-ahead log folded in.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _maintenance;
        await _writer.DisposeAsync();
        while (_readers.TryTake(out var reader))
        {
            reader.Dispose();
        }

        _stopping.Dispose();
    }

    internal async Task CompactAsync(CancellationToken cancellationToken)
    {
        var compaction = new Compaction(_time.GetUtcNow() - KeptHistory, KeptChanges, CompactionBatch);
        while (await _writer.CompactAsync(compaction, cancellationToken) == CompactionBatch)
        {
            // The next batch, after the writes that wait.
        }
    }

    private async Task MaintainAsync()
    {
        using var timer = new PeriodicTimer(CompactionPeriod, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                try
                {
                    await CompactAsync(_stopping.Token);
                }
                catch (StorageException failure)
                {
                    Log.NotCompacted(_logger, failure);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private T Read<T>(Func<StoreReader, T> read)
    {
        try
        {
            if (!_readers.TryTake(out var reader))
            {
                reader = new StoreReader(_path);
            }

            T result;
            try
            {
                result = read(reader);
            }
            catch (RevisionExpiredException)
            {
                Return(reader);
                throw;
            }
            catch
            {
                // Its state is unknown; the next read opens another.
                reader.Dispose();
                throw;
            }

            Return(reader);
            return result;
        }
        catch (SqliteException failure)
        {
            throw StoreFile.Explain(failure, _path);
        }
    }

    private void Return(StoreReader reader)
    {
        if (_readers.Count < KeptReaders && !_stopping.IsCancellationRequested)
        {
            _readers.Add(reader);
        }
        else
        {
            reader.Dispose();
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The change log could not be compacted; it is tried again")]
        public static partial void NotCompacted(ILogger logger, Exception failure);
    }
}
