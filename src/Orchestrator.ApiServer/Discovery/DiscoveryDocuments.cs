using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Discovery;

/// <summary>
/// What the server serves, told to clients: <c>/api</c>, <c>/apis</c>, <c>/apis/G</c> and <c>/apis/G/V</c>, and all of it at once
/// (<see cref="AggregatedDiscovery"/>). New documents each time; the server keeps them as bytes.
/// </summary>
public sealed class DiscoveryDocuments(ResourceRegistry registry)
{
    private static readonly string[] StatusVerbs = ["get", "patch", "update"];

    /// <summary>Groups but the core group, in the order of the registry.</summary>
    private IEnumerable<string> Groups => registry.All.Select(resource => resource.Group).Where(group => group.Length > 0).Distinct();

    /// <summary><c>/api</c>.</summary>
    /// <param name="serverAddress">Host and port by which clients reach the server.</param>
    public JsonObject ApiVersions(string serverAddress) => new()
    {
        ["kind"] = "APIVersions",
        ["versions"] = Texts(VersionsOf("")),
        ["serverAddressByClientCIDRs"] = new JsonArray(
            new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = serverAddress }),
    };

    /// <summary><c>/apis</c>.</summary>
    public JsonObject ApiGroups() => new()
    {
        ["kind"] = "APIGroupList",
        ["apiVersion"] = "v1",
        ["groups"] = new JsonArray([.. Groups.Select(GroupBody)]),
    };

    /// <summary><c>/apis/G</c>; null when there is no such group.</summary>
    public JsonObject? ApiGroup(string group)
    {
        if (group.Length == 0 || !Groups.Contains(group))
        {
            return null;
        }

        var document = new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1" };
        foreach (var (name, value) in GroupBody(group))
        {
            document[name] = value?.DeepClone();
        }

        return document;
    }

    /// <summary><c>/api/V</c> and <c>/apis/G/V</c>; null when there is no such version.</summary>
    /// <param name="group">Empty for the core group.</param>
    public JsonObject? ApiResources(string group, string version)
    {
        if (!registry.HasVersion(group, version))
        {
            return null;
        }

        var resources = registry.All.Where(resource => resource.Group == group && resource.Version == version);
        return new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}",
            ["resources"] = new JsonArray([.. resources.SelectMany(Entries)]),
        };
    }

    internal static IEnumerable<(string Name, IReadOnlyList<string> Verbs, string Group, string Version, string Kind)> Subresources(
        ResourceDefinition resource)
    {
        if (resource.Scale is not null)
        {
            yield return ("scale", StatusVerbs, "autoscaling", "v1", "Scale");
        }

        if (resource.HasStatus)
        {
            yield return ("status", StatusVerbs, resource.Group, resource.Version, resource.Kind);
        }
    }

    internal static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)text)];

    private static IEnumerable<JsonNode> Entries(ResourceDefinition resource)
    {
        var entry = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = Texts(resource.Verbs),
        };
        if (resource.ShortNames.Count > 0)
        {
            entry["shortNames"] = Texts(resource.ShortNames);
        }

        if (resource.Categories.Count > 0)
        {
            entry["categories"] = Texts(resource.Categories);
        }

        // Only what is stored has a storage version.
        if (resource.Verbs.Contains("get"))
        {
            entry["storageVersionHash"] = StorageVersionHash(resource);
        }

        yield return entry;
        foreach (var (name, verbs, group, version, kind) in Subresources(resource))
        {
            var subresource = new JsonObject { ["name"] = $"{resource.Plural}/{name}", ["singularName"] = "", ["namespaced"] = resource.Namespaced };
            if (group != resource.Group)
            {
                subresource["group"] = group;
                subresource["version"] = version;
            }

            subresource["kind"] = kind;
            subresource["verbs"] = Texts(verbs);
            yield return subresource;
        }
    }

    private JsonObject GroupBody(string group)
    {
        var versions = VersionsOf(group).Select(version => (JsonNode)VersionBody(group, version)).ToArray();
        return new JsonObject
        {
            ["name"] = group,
            ["versions"] = new JsonArray(versions),
            ["preferredVersion"] = versions[0].DeepClone(),
        };
    }

    private static JsonObject VersionBody(string group, string version) => new() { ["groupVersion"] = $"{group}/{version}", ["version"] = version };

    private IEnumerable<string> VersionsOf(string group) =>
        registry.All.Where(resource => resource.Group == group).Select(resource => resource.Version).Distinct();

    /// <summary>As kube-apiserver computes it.</summary>
    private static string StorageVersionHash(ResourceDefinition resource) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes($"{resource.Group}/{resource.Version}/{resource.Kind}")).AsSpan(0, 8));
}
