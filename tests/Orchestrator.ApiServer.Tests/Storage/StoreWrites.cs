using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Tests.Storage;

/// <summary>Writing to a store without the rules of the API.</summary>
internal static class StoreWrites
{
    public static Task<WriteResult> CreateAsync(this ObjectStore store, string resource, string @namespace, string name, string value = "") =>
        WriteAsync(store, resource, @namespace, name, value, null);

    public static Task<WriteResult> UpdateAsync(this ObjectStore store, StoredObject expected, string value) =>
        WriteAsync(store, expected.Key.Resource, expected.Key.Namespace, expected.Key.Name, value, expected);

    public static Task<WriteResult> DeleteAsync(this ObjectStore store, StoredObject expected) =>
        WriteAsync(store, expected.Key.Resource, expected.Key.Namespace, expected.Key.Name, "last", expected, delete: true);

    private static Task<WriteResult> WriteAsync(
        ObjectStore store, string resource, string @namespace, string name, string value, StoredObject? expected, bool delete = false) =>
        store.WriteAsync(
            new WriteRequest
            {
                Key = new StorageKey(resource, @namespace, name),
                Expected = expected,
                Object = EncodedObject.From(new JsonObject
                {
                    ["kind"] = "Test",
                    ["metadata"] = new JsonObject { ["name"] = name, ["resourceVersion"] = "old" },
                    ["value"] = value,
                }),
                Uid = name,
                Delete = delete,
            },
            CancellationToken.None);
}
