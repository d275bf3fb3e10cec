using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Discovery;

/// <summary>
/// APIGroupDiscoveryList (apidiscovery.k8s.io v2 and v2beta1, which differ in name only): everything at <c>/api</c> or <c>/apis</c> in
/// one document.
/// </summary>
public static class AggregatedDiscovery
{
    /// <param name="isCore">The core group, of <c>/api</c>; otherwise all others, of <c>/apis</c>.</param>
    /// <param name="form">One of the aggregated forms.</param>
    public static JsonObject Of(ResourceRegistry registry, bool isCore, DiscoveryForm form) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = form switch
        {
            DiscoveryForm.AggregatedV2 => "apidiscovery.k8s.io/v2",
            DiscoveryForm.AggregatedV2Beta1 => "apidiscovery.k8s.io/v2beta1",
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, "not an aggregated form"),
        },
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray(
        [
            .. registry.All.Where(resource => resource.Group.Length == 0 == isCore).GroupBy(resource => resource.Group).Select(Group),
        ]),
    };

    private static JsonNode Group(IGrouping<string, ResourceDefinition> group)
    {
        var metadata = new JsonObject { ["creationTimestamp"] = null };
        if (group.Key.Length > 0)
        {
            metadata["name"] = group.Key;
        }

        return new JsonObject
        {
            ["metadata"] = metadata,
            ["versions"] = new JsonArray([.. group.GroupBy(resource => resource.Version).Select(Version)]),
        };
    }

    private static JsonNode Version(IGrouping<string, ResourceDefinition> version) => new JsonObject
    {
        ["version"] = version.Key,
        ["resources"] = new JsonArray([.. version.Select(Resource)]),
        ["freshness"] = "Current",
    };

    private static JsonNode Resource(ResourceDefinition resource)
    {
        var entry = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = Kind(resource.Group, resource.Version, resource.Kind),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = DiscoveryDocuments.Texts(resource.Verbs),
        };
        if (resource.ShortNames.Count > 0)
        {
            entry["shortNames"] = DiscoveryDocuments.Texts(resource.ShortNames);
        }

        if (resource.Categories.Count > 0)
        {
            entry["categories"] = DiscoveryDocuments.Texts(resource.Categories);
        }

        var subresources = DiscoveryDocuments.Subresources(resource).Select(subresource => (JsonNode)new JsonObject
        {
            ["subresource"] = subresource.Name,
            ["responseKind"] = Kind(subresource.Group, subresource.Version, subresource.Kind),
            ["verbs"] = DiscoveryDocuments.Texts(subresource.Verbs),
        }).ToArray();
        if (subresources.Length > 0)
        {
            entry["subresources"] = new JsonArray(subresources);
        }

        return entry;
    }

    private static JsonObject Kind(string group, string version, string kind) =>
        new() { ["group"] = group, ["version"] = version, ["kind"] = kind };
}
