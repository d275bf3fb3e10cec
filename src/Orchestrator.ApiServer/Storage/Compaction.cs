namespace Orchestrator.ApiServer.Storage;

/// <summary>What may go from the change log, and how much at a time.</summary>
/// <param name="OlderThan">Entries from before this moment go.</param>
/// <param name="KeepNewest">Of the rest, only so many entries stay.</param>
/// <param name="Limit">Most entries removed at once, so that writers do not wait for long.</param>
internal sealed record Compaction(DateTimeOffset OlderThan, long KeepNewest, int Limit);
