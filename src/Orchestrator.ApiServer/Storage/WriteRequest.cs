namespace Orchestrator.ApiServer.Storage;

/// <summary>One object to create, replace or delete, on condition that nobody was faster.</summary>
public sealed record WriteRequest
{
    public required StorageKey Key { get; init; }

    /// <summary>What the writer read before: the write fails with a conflict if it is no longer that. Null: the object must not exist.</summary>
    public StoredObject? Expected { get; init; }

    /// <summary>The new state; of a deletion the last state.</summary>
    public required EncodedObject Object { get; init; }

    public bool Delete { get; init; }

    public required string Uid { get; init; }

    /// <summary>Uids of the owners, for garbage collection.</summary>
    public IReadOnlyList<string> Owners { get; init; } = [];

    /// <summary>The object has a deletionTimestamp. A namespace with one takes no new objects.</summary>
    public bool Terminating { get; init; }

    /// <summary>Check everything and store nothing.</summary>
    public bool DryRun { get; init; }
}

public enum WriteOutcome
{
    Written,

    /// <summary>The object is no longer what the writer had read.</summary>
    Conflict,

    /// <summary>The object to change or delete is gone.</summary>
    NotFound,

    /// <summary>The object to create exists.</summary>
    AlreadyExists,

    NamespaceNotFound,
    NamespaceTerminating,
}

/// <param name="Stored">The object as stored, when written: its bytes carry the revision. Of a dry run, null.</param>
public readonly record struct WriteResult(WriteOutcome Outcome, StoredObject? Stored = null);
