using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Orchestrator.ApiServer.Storage;

/// <summary>The writer's connection and its SQL.</summary>
internal sealed class WriteStatements : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly List<Statement> _all = [];
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly Statement _readRevision;
    private readonly Statement _saveRevision;
    private readonly Statement _currentRevision;
    private readonly Statement _namespace;
    private readonly Statement _insert;
    private readonly Statement _update;
    private readonly Statement _delete;
    private readonly Statement _log;
    private readonly Statement _dropOwners;
    private readonly Statement _addOwner;
    private readonly Statement _lastToCompact;
    private readonly Statement _compact;
    private readonly Statement _compacted;
    private readonly Statement _vacuum;
    private readonly Statement _checkpoint;

    public WriteStatements(string path)
    {
        _connection = StoreFile.Open(path, SqliteOpenMode.ReadWrite);
        // FULL: the log is flushed with every commit. The limit cuts the log file down again after a burst.
        StoreFile.Execute(
            _connection, "PRAGMA synchronous = FULL; PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 33554432; PRAGMA temp_store = MEMORY");
        _begin = Prepare("BEGIN IMMEDIATE", 0);
        _commit = Prepare("COMMIT", 0);
        _rollback = Prepare("ROLLBACK", 0);
        _readRevision = Prepare("SELECT revision FROM state", 0);
        _saveRevision = Prepare("UPDATE state SET revision = $1", 1);
        _currentRevision = Prepare("SELECT revision FROM objects WHERE resource = $1 AND namespace = $2 AND name = $3", 3);
        _namespace = Prepare("SELECT terminating FROM objects WHERE resource = 'namespaces' AND namespace = '' AND name = $1", 1);
        _insert = Prepare(
            "INSERT INTO objects (resource, namespace, name, revision, uid, terminating, value) VALUES ($1, $2, $3, $4, $5, $6, $7)", 7);
        _update = Prepare(
            """
            UPDATE objects SET revision = $4, uid = $5, terminating = $6, value = $7
            WHERE resource = $1 AND namespace = $2 AND name = $3
            """,
            7);
        _delete = Prepare("DELETE FROM objects WHERE resource = $1 AND namespace = $2 AND name = $3", 3);
        _log = Prepare("INSERT INTO changes VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9);
        _dropOwners = Prepare("DELETE FROM owners WHERE resource = $1 AND namespace = $2 AND name = $3", 3);
        _addOwner = Prepare("INSERT OR IGNORE INTO owners (resource, namespace, name, owner) VALUES ($1, $2, $3, $4)", 4);
        // Looks at no more than the batch, oldest first; revisions rise with time.
        _lastToCompact = Prepare(
            """
            SELECT max(revision) FROM (SELECT revision, time FROM changes ORDER BY revision LIMIT $3)
            WHERE time < $1 OR revision <= (SELECT revision FROM state) - $2
            """,
            3);
        _compact = Prepare("DELETE FROM changes WHERE revision <= $1", 1);
        _compacted = Prepare("UPDATE state SET compacted = $1", 1);
        _vacuum = Prepare("PRAGMA incremental_vacuum(256)", 0);
        _checkpoint = Prepare("PRAGMA wal_checkpoint(PASSIVE)", 0);
    }

    public long ReadRevision() => (long)_readRevision.Scalar()!;

    public void Begin() => _begin.Execute();

    public void Commit() => _commit.Execute();

    public void Rollback() => _rollback.Execute();

    /// <summary>Whether the transaction that saved this revision is over and has succeeded, whatever was reported.</summary>
    public bool IsCommitted(long revision)
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle) == 0)
        {
            return false;
        }

        try
        {
            return ReadRevision() == revision;
        }
        catch (SqliteException)
        {
            // Not even this can be read: the caller reports the first failure.
            return false;
        }
    }

    /// <summary>SQLite ends the transaction by itself on some errors.</summary>
    public void RollbackIfOpen()
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle) == 0)
        {
            _rollback.Execute();
        }
    }

    public void SaveRevision(long revision) => _saveRevision.Execute(revision);

    /// <returns>Null when there is no such object.</returns>
    public long? CurrentRevision(StorageKey key) => (long?)_currentRevision.Scalar(key.Resource, key.Namespace, key.Name);

    /// <returns>Null when the namespace takes new objects.</returns>
    public WriteOutcome? NamespaceProblem(string @namespace) => _namespace.Scalar(@namespace) switch
    {
        null => WriteOutcome.NamespaceNotFound,
        0L => null,
        _ => WriteOutcome.NamespaceTerminating,
    };

    public void Store(ChangeType type, StoredObject stored, WriteRequest request, long now, long revision)
    {
        var key = stored.Key;
        switch (type)
        {
            case ChangeType.Added:
                _insert.Execute(key.Resource, key.Namespace, key.Name, revision, request.Uid, request.Terminating, stored.Json);
                break;
            case ChangeType.Modified:
                _update.Execute(key.Resource, key.Namespace, key.Name, revision, request.Uid, request.Terminating, stored.Json);
                break;
            default:
                _delete.Execute(key.Resource, key.Namespace, key.Name);
                break;
        }

        if (type != ChangeType.Added)
        {
            _dropOwners.Execute(key.Resource, key.Namespace, key.Name);
        }

        if (type != ChangeType.Deleted)
        {
            foreach (var owner in request.Owners)
            {
                _addOwner.Execute(key.Resource, key.Namespace, key.Name, owner);
            }
        }

        _log.Execute(
            revision,
            now,
            (int)type,
            key.Resource,
            key.Namespace,
            key.Name,
            stored.Json,
            request.Expected?.Revision,
            request.Expected?.Json);
    }

    /// <returns>How many entries went.</returns>
    public int Compact(Compaction compaction)
    {
        if (_lastToCompact.Scalar(compaction.OlderThan.ToUnixTimeMilliseconds(), compaction.KeepNewest, compaction.Limit) is not long last)
        {
            return 0;
        }

        _compacted.Execute(last);
        return _compact.Execute(last);
    }

    /// <summary>Shrinks the file by some of its free pages and moves what no reader needs from the log into it.</summary>
    public void GiveBackSpace()
    {
        _vacuum.Execute();
        _checkpoint.Execute();
    }

    public void Dispose()
    {
        foreach (var statement in _all)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private Statement Prepare(string sql, int parameters)
    {
        var statement = new Statement(_connection, sql, parameters);
        _all.Add(statement);
        return statement;
    }
}
