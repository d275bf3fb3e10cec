using Microsoft.Data.Sqlite;

namespace Orchestrator.ApiServer.Storage;

/// <summary>
/// One read-only connection. Each call sees one snapshot: rows and the revision told with them belong together. Used by one caller at
/// a time; <see cref="ObjectStore"/> lends them out.
/// </summary>
internal sealed class StoreReader : IDisposable
{
    private const string At = """
        SELECT namespace, name, revision, value FROM objects
        WHERE resource = $1 AND revision <= $2 AND ($3 IS NULL OR namespace = $3) AND (namespace, name) > ($4, $5)
        UNION ALL
        SELECT namespace, name, previous_revision, previous FROM changes
        WHERE revision IN (SELECT min(revision) FROM changes WHERE resource = $1 AND revision > $2 GROUP BY namespace, name)
            AND previous IS NOT NULL AND ($3 IS NULL OR namespace = $3) AND (namespace, name) > ($4, $5)
        ORDER BY namespace, name
        """;

    private readonly SqliteConnection _connection;
    private readonly Statement _begin;
    private readonly Statement _end;
    private readonly Statement _state;
    private readonly Statement _get;
    private readonly Statement _list;
    private readonly Statement _listNamespace;
    private readonly Statement _listAt;
    private readonly Statement _changes;
    private readonly Statement _owned;
    private readonly Statement _terminating;
    private readonly Statement _hasUid;
    private readonly Statement _ownerless;

    public StoreReader(string path)
    {
        _connection = StoreFile.Open(path, SqliteOpenMode.ReadWrite);
        StoreFile.Execute(_connection, "PRAGMA query_only = 1; PRAGMA cache_size = -1024");
        _begin = new Statement(_connection, "BEGIN", 0);
        _end = new Statement(_connection, "COMMIT", 0);
        _state = new Statement(_connection, "SELECT revision, compacted FROM state", 0);
        _get = new Statement(_connection, "SELECT revision, value FROM objects WHERE resource = $1 AND namespace = $2 AND name = $3", 3);
        _list = new Statement(
            _connection,
            """
            SELECT namespace, name, revision, value FROM objects
            WHERE resource = $1 AND (namespace, name) > ($2, $3) ORDER BY namespace, name
            """,
            3);
        _listNamespace = new Statement(
            _connection,
            "SELECT namespace, name, revision, value FROM objects WHERE resource = $1 AND namespace = $2 AND name > $3 ORDER BY name",
            3);
        _listAt = new Statement(_connection, At, 5);
        _changes = new Statement(
            _connection,
            """
            SELECT revision, type, namespace, name, value, previous FROM changes
            WHERE resource = $1 AND revision > $2 ORDER BY revision LIMIT $3
            """,
            3);
        _owned = new Statement(_connection, "SELECT resource, namespace, name FROM owners WHERE owner = $1", 1);
        _terminating = new Statement(_connection, "SELECT resource, namespace, name FROM objects WHERE terminating = 1", 0);
        _hasUid = new Statement(_connection, "SELECT 1 FROM objects WHERE uid = $1", 1);
        _ownerless = new Statement(
            _connection, "SELECT DISTINCT owner FROM owners WHERE NOT EXISTS (SELECT 1 FROM objects WHERE uid = owner)", 0);
    }

    public long Revision() => State().Revision;

    public StoredObject? Get(StorageKey key)
    {
        using var row = _get.Query(key.Resource, key.Namespace, key.Name);
        return row.Read() ? new StoredObject(key, row.GetInt64(0), row.GetFieldValue<byte[]>(1)) : null;
    }

    /// <summary>The newest revision and the objects of it that <paramref name="take"/> sees, in order of namespace and name.</summary>
    /// <param name="namespace">Null for all.</param>
    /// <param name="after">Lists only what follows this namespace and name.</param>
    /// <param name="at">Null for the newest.</param>
    /// <param name="take">Is given one object after the other; false ends the list.</param>
    /// <exception cref="RevisionExpiredException">The log no longer reaches back to <paramref name="at"/>.</exception>
    public long List(
        string resource, string? @namespace, (string Namespace, string Name) after, long? at, Func<StoredObject, bool> take)
    {
        using var snapshot = new Snapshot(this);
        var (revision, compacted) = State();
        if (at < compacted)
        {
            throw new RevisionExpiredException(at.Value, compacted);
        }

        using var rows = (at, @namespace) switch
        {
            ({ } past, _) when past < revision => _listAt.Query(resource, past, @namespace, after.Namespace, after.Name),
            (_, null) => _list.Query(resource, after.Namespace, after.Name),
            _ => _listNamespace.Query(resource, @namespace, after.Namespace.Length == 0 ? "" : after.Name),
        };
        while (rows.Read())
        {
            var key = new StorageKey(resource, rows.GetString(0), rows.GetString(1));
            if (!take(new StoredObject(key, rows.GetInt64(2), rows.GetFieldValue<byte[]>(3))))
            {
                break;
            }
        }

        return at ?? revision;
    }

    /// <summary>Changes of a resource after a revision, oldest first.</summary>
    /// <returns>The revision up to which the changes are complete.</returns>
    /// <exception cref="RevisionExpiredException">The log no longer reaches back that far.</exception>
    public long Changes(string resource, long after, int limit, List<Change> into)
    {
        using var snapshot = new Snapshot(this);
        var (revision, compacted) = State();
        if (after < compacted)
        {
            throw new RevisionExpiredException(after, compacted);
        }

        using var rows = _changes.Query(resource, after, limit);
        var count = 0;
        while (rows.Read())
        {
            count++;
            into.Add(new Change(
                rows.GetInt64(0),
                (ChangeType)rows.GetInt32(1),
                new StorageKey(resource, rows.GetString(2), rows.GetString(3)),
                rows.GetFieldValue<byte[]>(4),
                rows.IsDBNull(5) ? null : rows.GetFieldValue<byte[]>(5)));
        }

        return count == limit ? into[^1].Revision : revision;
    }

    /// <summary>Keys of the objects that name this uid as an owner.</summary>
    public IReadOnlyList<StorageKey> Owned(string uid) => Keys(_owned.Query(uid));

    /// <summary>Keys of the objects that are being deleted.</summary>
    public IReadOnlyList<StorageKey> Terminating() => Keys(_terminating.Query());

    public bool HasUid(string uid) => _hasUid.Scalar(uid) is not null;

    /// <summary>Uids that objects name as owners and that no object has.</summary>
    public IReadOnlyList<string> MissingOwners()
    {
        var uids = new List<string>();
        using var rows = _ownerless.Query();
        while (rows.Read())
        {
            uids.Add(rows.GetString(0));
        }

        return uids;
    }

    public void Dispose()
    {
        foreach (var statement in (Statement[])[_begin, _end, _state, _get, _list, _listNamespace, _listAt, _changes, _owned, _terminating, _hasUid, _ownerless])
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private static List<StorageKey> Keys(SqliteDataReader rows)
    {
        var keys = new List<StorageKey>();
        using (rows)
        {
            while (rows.Read())
            {
                keys.Add(new StorageKey(rows.GetString(0), rows.GetString(1), rows.GetString(2)));
            }
        }

        return keys;
    }

    private (long Revision, long Compacted) State()
    {
        using var row = _state.Query();
        row.Read();
        return (row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>From its first read to its end, the connection sees the database as it was at that read.</summary>
    private readonly ref struct Snapshot
    {
        private readonly StoreReader _reader;

        public Snapshot(StoreReader reader)
        {
            _reader = reader;
            reader._begin.Execute();
        }

        public void Dispose() => _reader._end.Execute();
    }
}
