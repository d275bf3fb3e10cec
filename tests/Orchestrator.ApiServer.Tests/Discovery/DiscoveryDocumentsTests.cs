using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Tests.Schema;

namespace Orchestrator.ApiServer.Tests.Discovery;

public sealed class DiscoveryDocumentsTests
{
    private static readonly ResourceRegistry Registry = new([.. Crds.Builtin, .. Crds.Custom]);
    private static readonly DiscoveryDocuments Documents = new(Registry);

    [Fact]
    public void The_core_group_is_told_by_its_versions() => Assert.Equal(
        """{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"127.0.0.1:6443"}]}""",
        Documents.ApiVersions("127.0.0.1:6443").ToJsonString());

    [Fact]
    public void Groups_are_told_with_their_versions()
    {
        Assert.Equal(
            ["coordination.k8s.io", "apps", "apiextensions.k8s.io", "orchestrator.dev"],
            Documents.ApiGroups()["groups"]!.AsArray().Select(group => (string?)group!["name"]));
        Assert.Equal(
            """
            {"kind":"APIGroup","apiVersion":"v1","name":"orchestrator.dev","versions":[{"groupVersion":"orchestrator.dev/v1","version":"v1"}],"preferredVersion":{"groupVersion":"orchestrator.dev/v1","version":"v1"}}
            """.Trim(),
            Documents.ApiGroup("orchestrator.dev")!.ToJsonString());
        Assert.Null(Documents.ApiGroup("example.org"));
        Assert.Null(Documents.ApiGroup(""));
    }

    [Fact]
    public void Resources_are_told_with_their_subresources()
    {
        var list = Documents.ApiResources("orchestrator.dev", "v1")!;
        Assert.Equal("orchestrator.dev/v1", (string?)list["groupVersion"]);
        Assert.Equal(
            ["dockerhosts", "dockerhosts/status", "replicas", "replicas/status", "webapps", "webapps/scale", "webapps/status"],
            list["resources"]!.AsArray().Select(resource => (string?)resource!["name"]));
        Assert.Equal(
            """
            {"name":"webapps","singularName":"webapp","namespaced":true,"kind":"WebApp","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["wa"],"categories":["orchestrator"],"storageVersionHash":"HASH"}
            """.Trim(),
            Without(list["resources"]![4]!).ToJsonString());
        Assert.Equal(
            """{"name":"webapps/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]}""",
            list["resources"]![5]!.ToJsonString());
        Assert.Equal("v1", (string?)Documents.ApiResources("", "v1")!["groupVersion"]);
        Assert.Null(Documents.ApiResources("orchestrator.dev", "v2"));
    }

    /// <summary>A hash that kube-apiserver gives, as of its own tests and clusters.</summary>
    [Theory]
    [InlineData("", "Secret", "S6u1pOWzb84=")]
    [InlineData("", "ConfigMap", "qFsyl6wFWjQ=")]
    public void Storage_versions_hash_as_in_kubernetes(string group, string kind, string hash) => Assert.Equal(
        hash,
        (string?)Documents.ApiResources(group, "v1")!["resources"]!.AsArray().Single(resource => (string?)resource!["kind"] == kind)!["storageVersionHash"]);

    [Fact]
    public void All_is_told_at_once()
    {
        var document = AggregatedDiscovery.Of(Registry, isCore: false, DiscoveryForm.AggregatedV2);
        Assert.Equal(("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2"), ((string?)document["kind"], (string?)document["apiVersion"]));
        var group = document["items"]!.AsArray().Single(item => (string?)item!["metadata"]!["name"] == "orchestrator.dev")!;
        Assert.Equal(
            """
            {"resource":"webapps","responseKind":{"group":"orchestrator.dev","version":"v1","kind":"WebApp"},"scope":"Namespaced","singularResource":"webapp","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["wa"],"categories":["orchestrator"],"subresources":[{"subresource":"scale","responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},"verbs":["get","patch","update"]},{"subresource":"status","responseKind":{"group":"orchestrator.dev","version":"v1","kind":"WebApp"},"verbs":["get","patch","update"]}]}
            """.Trim(),
            group["versions"]![0]!["resources"]![2]!.ToJsonString());
        Assert.Equal("Current", (string?)group["versions"]![0]!["freshness"]);

        var core = AggregatedDiscovery.Of(Registry, isCore: true, DiscoveryForm.AggregatedV2Beta1);
        Assert.Equal("apidiscovery.k8s.io/v2beta1", (string?)core["apiVersion"]);
        var only = Assert.Single(core["items"]!.AsArray())!;
        Assert.Null(only["metadata"]!["name"]);
        Assert.Equal(
            ["namespaces", "secrets", "configmaps", "events"],
            only["versions"]![0]!["resources"]!.AsArray().Select(resource => (string?)resource!["resource"]));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("\"x\"", false)]
    [InlineData("\"x\", TAG", true)]
    [InlineData("W/TAG", true)]
    [InlineData("*", true)]
    public void A_document_that_the_client_has_is_recognised(string? header, bool matches)
    {
        var tag = EntityTag.Of("document"u8);
        Assert.Equal(matches, EntityTag.Matches(header?.Replace("TAG", tag, StringComparison.Ordinal), tag));
        Assert.NotEqual(tag, EntityTag.Of("other"u8));
    }

    private static JsonNode Without(JsonNode resource)
    {
        var copy = resource.DeepClone();
        copy["storageVersionHash"] = "HASH";
        return copy;
    }
}
