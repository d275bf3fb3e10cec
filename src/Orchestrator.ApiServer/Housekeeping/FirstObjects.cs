using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Housekeeping;

/// <summary>What is there before the first client comes: the permanent namespaces, and the CRDs as objects.</summary>
internal sealed class FirstObjects(ObjectStore store, ServedResources resources, ObjectWriter writer, TimeProvider time)
{
    public async Task EnsureAsync(IReadOnlyList<JsonObject> definitions, CancellationToken cancellationToken)
    {
        var missing = NamespaceRules.Permanent.Where(name => store.Get(resources.Namespaces.Key("", name)) is null);

        // At once: together they cost one flush.
        await Task.WhenAll(
        [
            .. missing.Select(name => EnsureAsync(
                resources.Namespaces, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }, cancellationToken)),
            .. definitions.Select(definition => EnsureAsync(
                resources.CustomResourceDefinitions,
                CustomResource.Establish(definition, Metadata.Timestamp(time.GetUtcNow())),
                cancellationToken)),
        ]);
    }

    /// <summary>Creates an object, or brings what is there to the same spec.</summary>
    private async Task EnsureAsync(ServedResource resource, JsonObject wanted, CancellationToken cancellationToken)
    {
        (wanted["apiVersion"], wanted["kind"]) = (resource.Definition.ApiVersion, resource.Definition.Kind);
        var key = resource.Key("", Metadata.Of(wanted).Text("name"));
        var written = store.Get(key) is { } stored
            ? SameSpec(JsonText.Parse(stored.Json), wanted)
                ? new Written(stored.Json)
                : await writer.UpdateAsync(resource, key, "", current => Replace(current, wanted), new WriteOptions(), cancellationToken)
            : await writer.CreateAsync(resource, "", (JsonObject)wanted.DeepClone(), new WriteOptions(), cancellationToken);
        if (written.Failed)
        {
            throw new InvalidOperationException($"{key} cannot be made: {written.Failure.Message}");
        }
    }

    private static bool SameSpec(JsonObject current, JsonObject wanted) => JsonNode.DeepEquals(current["spec"], wanted["spec"]);

    private static Rest.Outcome<JsonObject> Replace(JsonObject current, JsonObject wanted)
    {
        Metadata.Set(current, "spec", wanted["spec"]);
        Metadata.Set(current, "status", wanted["status"]);
        return current;
    }
}
