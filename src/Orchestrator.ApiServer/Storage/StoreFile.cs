using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Orchestrator.ApiServer.Storage;

/// <summary>The SQLite file: how it is opened, and what is in it.</summary>
internal static class StoreFile
{
    public const string Name = "state.db";

    /// <summary>Raised when an older program could no longer read what this one writes.</summary>
    public const int Format = 1;

    /// <summary>Files up to this size are checked whole at start (about 10 ms); a larger one shows damage when it is read.</summary>
    private const long LargestChecked = 16 * 1024 * 1024;

    private const string Tables = """
        CREATE TABLE objects (
            resource TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            revision INTEGER NOT NULL,
            uid TEXT NOT NULL,
            terminating INTEGER NOT NULL,
            value BLOB NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX objects_by_key ON objects (resource, namespace, name);
        CREATE INDEX objects_by_uid ON objects (uid);
        CREATE INDEX objects_terminating ON objects (resource, namespace, name) WHERE terminating = 1;
        CREATE TABLE owners (
            owner TEXT NOT NULL,
            resource TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (owner, resource, namespace, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX owners_by_key ON owners (resource, namespace, name);
        CREATE TABLE changes (
            revision INTEGER PRIMARY KEY,
            time INTEGER NOT NULL,
            type INTEGER NOT NULL,
            resource TEXT NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            value BLOB NOT NULL,
            previous_revision INTEGER,
            previous BLOB
        ) STRICT;
        CREATE INDEX changes_by_resource ON changes (resource, revision);
        CREATE TABLE state (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            revision INTEGER NOT NULL,
            compacted INTEGER NOT NULL
        ) STRICT;
        INSERT INTO state VALUES (1, 1, 1);
        """;

    /// <summary>Makes the file if there is none and checks it if there is one.</summary>
    /// <exception cref="StorageException">It is damaged, made by a newer version, or not ours.</exception>
    public static void Prepare(string path)
    {
        // SQLite makes its files readable by all, and its log's files like the first: there are Secrets in them.
        PrivateFile.CreateIfMissing(path);
        try
        {
            using var connection = Open(path, SqliteOpenMode.ReadWriteCreate);
            var format = (long)Scalar(connection, "PRAGMA user_version")!;
            var tables = (long)Scalar(connection, "SELECT count(*) FROM sqlite_schema")!;
            if (format > Format)
            {
                throw new StorageException(
                    $"{path} was written by a newer version of Orchestrator (format {format}, this version knows {Format}): "
                    + "use that version, or another data folder");
            }

            if (format == 0 && tables > 0)
            {
                throw new StorageException($"{path} is a database of something else than Orchestrator");
            }

            if (format == 0)
            {
                Create(connection);
            }
            else
            {
                Check(connection, path);
            }
        }
        catch (SqliteException failure)
        {
            throw Explain(failure, path);
        }
    }

    public static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            // Connections are kept by the store itself, with their prepared statements.
            Pooling = false,
            DefaultTimeout = 30,
        }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>What SQLite reports, said for the person who runs the server.</summary>
    public static StorageException Explain(SqliteException failure, string path) => failure.SqliteErrorCode switch
    {
        SqliteErrors.Corrupt or SqliteErrors.NotADatabase => new StorageException(
            $"{path} is damaged ({failure.Message}): restore a backup of the data folder", failure),
        SqliteErrors.Full => new StorageException($"no space is left to write {path}", failure),
        SqliteErrors.ReadOnly or SqliteErrors.CannotOpen or SqliteErrors.Permission => new StorageException(
            $"{path} cannot be opened for writing: {failure.Message}", failure),
        _ => new StorageException($"{path}: {failure.Message}", failure),
    };

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static void Create(SqliteConnection connection)
    {
        // Both take effect only while the file is empty. Objects are a few KB: in a page of 8 KB most need no overflow page.
        Execute(connection, "PRAGMA page_size = 8192");
        Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
        Execute(connection, "PRAGMA journal_mode = WAL");
        using var transaction = connection.BeginTransaction();
        Execute(connection, Tables);
        Execute(connection, $"PRAGMA user_version = {Format.ToString(CultureInfo.InvariantCulture)}");
        transaction.Commit();
    }

    private static void Check(SqliteConnection connection, string path)
    {
        if (new FileInfo(path).Length <= LargestChecked && Scalar(connection, "PRAGMA quick_check(1)") is not "ok" and var found)
        {
            throw new StorageException($"{path} is damaged ({found}): restore a backup of the data folder");
        }
    }

    private static class SqliteErrors
    {
        public const int Permission = 3;
        public const int ReadOnly = 8;
        public const int Corrupt = 11;
        public const int Full = 13;
        public const int CannotOpen = 14;
        public const int NotADatabase = 26;
    }
}
