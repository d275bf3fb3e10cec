namespace Orchestrator.ApiServer.Storage;

/// <summary>An object as it was at one revision.</summary>
/// <param name="Json">The whole object as UTF-8 JSON with its resourceVersion in it, ready to be sent. Never changed: shared by all readers.</param>
public sealed record StoredObject(StorageKey Key, long Revision, byte[] Json);
