namespace Orchestrator.ApiServer.Storage;

/// <summary>The store could not read or write its file: disk full, I/O error, damaged file.</summary>
public class StorageException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A change or a list was asked for at a revision that the change log no longer reaches back to.</summary>
public sealed class RevisionExpiredException(long asked, long compacted)
    : Exception($"too old resource version: {asked} ({compacted})")
{
    public long Asked { get; } = asked;

    /// <summary>The newest revision whose predecessors are gone.</summary>
    public long Compacted { get; } = compacted;
}
