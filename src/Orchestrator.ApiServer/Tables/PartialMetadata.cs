using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Tables;

/// <summary>meta.k8s.io PartialObjectMetadata: an object's metadata and nothing else.</summary>
public static class PartialMetadata
{
    /// <param name="version">v1 or v1beta1.</param>
    public static JsonObject Of(JsonObject resource, string version) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/" + version,
        ["metadata"] = resource["metadata"]?.DeepClone() ?? new JsonObject(),
    };

    /// <param name="listMetadata">Of the list that the objects come from.</param>
    /// <inheritdoc cref="Of"/>
    public static JsonObject ListOf(IEnumerable<JsonObject> resources, JsonObject listMetadata, string version) => new()
    {
        ["kind"] = "PartialObjectMetadataList",
        ["apiVersion"] = "meta.k8s.io/" + version,
        ["metadata"] = listMetadata.DeepClone(),
        ["items"] = new JsonArray([.. resources.Select(resource => Of(resource, version))]),
    };
}
