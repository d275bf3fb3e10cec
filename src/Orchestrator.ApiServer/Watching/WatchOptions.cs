using Orchestrator.ApiServer.Objects;

namespace Orchestrator.ApiServer.Watching;

/// <summary>What a watch is to tell, and until when.</summary>
internal sealed record WatchOptions
{
    public required ServedResource Resource { get; init; }

    public required ObjectSelector Selector { get; init; }

    /// <summary>Tells what comes after this revision. Null first tells what is there, as ADDED.</summary>
    public long? After { get; init; }

    /// <summary>After what is there, a bookmark says that this was all of it.</summary>
    public bool MarkInitialEnd { get; init; }

    public bool AllowBookmarks { get; init; }

    public required TimeSpan Timeout { get; init; }
}
