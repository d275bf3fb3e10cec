using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Storage;

/// <summary>Stored in the change log by number: never renumber.</summary>
public enum ChangeType
{
    Added = 1,
    Modified = 2,
    Deleted = 3,
}

/// <summary>One committed write, as watches tell it.</summary>
/// <param name="Json">The object after the change; for a deletion its last state, under the revision of the deletion.</param>
/// <param name="Previous">The object before the change; null for one that was added.</param>
public sealed record Change(long Revision, ChangeType Type, StorageKey Key, byte[] Json, byte[]? Previous)
{
    private JsonObject? _object;
    private JsonObject? _previousObject;

    /// <summary>
    /// Parsed once for all watchers that must look inside, to select by label or to make table rows. Never change it. (Two watchers may
    /// parse at the same moment; either result serves.)
    /// </summary>
    internal JsonObject Object => _object ??= JsonText.ParseShared(Json);

    /// <inheritdoc cref="Object"/>
    internal JsonObject? PreviousObject => Previous is null ? null : _previousObject ??= JsonText.ParseShared(Previous);
}
