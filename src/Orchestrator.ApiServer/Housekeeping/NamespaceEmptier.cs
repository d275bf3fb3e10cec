using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Housekeeping;

/// <summary>
/// Deletes what is in a namespace that is being deleted, and lets it go once it is empty. Nothing new can come into it meanwhile: the
/// store refuses that in the same transaction.
/// </summary>
internal sealed class NamespaceEmptier(
    ObjectStore store, ServedResources resources, ObjectWriter writer, FailedWrites failed, TimeProvider time)
{
    private const string ContentRemaining = "NamespaceContentRemaining";

    public async Task EmptyAsync(StorageKey key, CancellationToken cancellationToken)
    {
        var remaining = new List<string>();
        foreach (var resource in resources.All.Where(resource => resource.Definition.Namespaced))
        {
            var count = await EmptyAsync(resource, key.Name, cancellationToken);
            if (count > 0)
            {
                remaining.Add($"{resource.Definition.GroupResource} has {count} resource instances");
            }
        }

        var message = $"Some resources are remaining: {string.Join(", ", remaining)}";
        failed.Note(key, remaining.Count == 0
            ? await writer.UpdateAsync(resources.Namespaces, key, "finalize", RemoveFinalizer, new WriteOptions(), cancellationToken)
            : await writer.UpdateAsync(
                resources.Namespaces, key, "status", current => Explain(current, message), new WriteOptions(), cancellationToken));
    }

    /// <returns>How many objects are still there: held back by finalizers, or not deleted because the write failed.</returns>
    private async Task<int> EmptyAsync(ServedResource resource, string @namespace, CancellationToken cancellationToken)
    {
        var items = store.List(resource.Definition.GroupResource, @namespace).Items;
        var deleted = await writer.DeleteAllAsync(resource, items, new DeleteOptions(), cancellationToken);
        return deleted.Count(each => failed.Note(each.Item.Key, each.Result) || each.Result is { Value.Gone: false });
    }

    private static Rest.Outcome<JsonObject> RemoveFinalizer(JsonObject current)
    {
        if (current["spec"] is JsonObject spec)
        {
            var others = Metadata.Texts(spec["finalizers"]).Where(name => name != NamespaceRules.Finalizer);
            spec["finalizers"] = new JsonArray([.. others.Select(name => (JsonNode)name)]);
        }

        return current;
    }

    private Rest.Outcome<JsonObject> Explain(JsonObject current, string message)
    {
        var status = current["status"] as JsonObject ?? [];
        if (status["conditions"] is JsonArray conditions
            && conditions.OfType<JsonObject>().Any(each => each.Text("type") == ContentRemaining && each.Text("message") == message))
        {
            return current;
        }

        status["conditions"] = new JsonArray(new JsonObject
        {
            ["type"] = ContentRemaining,
            ["status"] = "True",
            ["reason"] = "SomeResourcesRemain",
            ["message"] = message,
            ["lastTransitionTime"] = Metadata.Timestamp(time.GetUtcNow()),
        });
        Metadata.Set(current, "status", status);
        return current;
    }
}
