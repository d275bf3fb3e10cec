using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Discovery;
using Orchestrator.ApiServer.OpenApi;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Tests.Schema;

namespace Orchestrator.ApiServer.Tests.OpenApi;

public sealed class OpenApiDocumentsTests
{
    private static readonly OpenApiDocuments Documents = new(new ResourceRegistry([.. Crds.Builtin, .. Crds.Custom]), "v0.1.0");

    public static TheoryData<string> Paths =>
        ["api/v1", "apis/apps/v1", "apis/coordination.k8s.io/v1", "apis/apiextensions.k8s.io/v1", "apis/orchestrator.dev/v1"];

    [Fact]
    public void The_index_names_each_document_with_its_hash()
    {
        var paths = Read(Documents.V3Index)["paths"]!.AsObject();
        Assert.Equal(Paths.Select(path => path.Data).Order(StringComparer.Ordinal), paths.Select(path => path.Key).Order(StringComparer.Ordinal));
        var document = Documents.V3("apis/orchestrator.dev/v1")!;
        Assert.Equal(
            $"/openapi/v3/apis/orchestrator.dev/v1?hash={document.Hash}", (string?)paths["apis/orchestrator.dev/v1"]!["serverRelativeURL"]);
        Assert.Equal(document.Hash, EntityTag.Hash(document.Json.Span));
        Assert.Null(Documents.V3("apis/example.org/v1"));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_reference_of_v3_leads_somewhere(string path)
    {
        var document = Read(Documents.V3(path)!);
        var schemas = document["components"]!["schemas"]!.AsObject();
        Assert.NotEmpty(References(document));
        Assert.All(References(document), reference => Assert.True(schemas.ContainsKey(reference["#/components/schemas/".Length..]), reference));
    }

    [Fact]
    public void Every_reference_of_v2_leads_somewhere_and_nothing_is_said_that_v2_cannot_say()
    {
        var document = Read(Documents.V2);
        var definitions = document["definitions"]!.AsObject();
        Assert.All(References(document), reference => Assert.True(definitions.ContainsKey(reference["#/definitions/".Length..]), reference));
        Assert.DoesNotContain("\"anyOf\"", definitions.ToJsonString(), StringComparison.Ordinal);
        var cpu = definitions["dev.orchestrator.v1.WebApp"]!["properties"]!["spec"]!["properties"]!["resources"]!["properties"]!["limits"]!["properties"]!["cpu"]!;
        Assert.Equal(["description", "x-kubernetes-int-or-string"], cpu.AsObject().Select(keyword => keyword.Key));
    }

    /// <summary>kubectl finds the kind of a resource by the GET of its path, and decides by the PATCH of its kind who validates.</summary>
    [Fact]
    public void Writes_say_that_they_validate()
    {
        var document = Read(Documents.V3("apis/orchestrator.dev/v1")!);
        var item = document["paths"]!["/apis/orchestrator.dev/v1/namespaces/{namespace}/webapps/{name}"]!;
        Assert.Equal(
            """{"group":"orchestrator.dev","kind":"WebApp","version":"v1"}""", item["get"]!["x-kubernetes-group-version-kind"]!.ToJsonString());
        Assert.Equal(["dryRun", "fieldManager", "fieldValidation", "force"], Names(item["patch"]!));
        Assert.Equal(["dryRun", "fieldManager", "fieldValidation"], Names(item["put"]!));
        var collection = document["paths"]!["/apis/orchestrator.dev/v1/namespaces/{namespace}/webapps"]!;
        Assert.Equal(["dryRun", "fieldManager", "fieldValidation"], Names(collection["post"]!));
        Assert.Equal("list", (string?)collection["get"]!["x-kubernetes-action"]);
        Assert.Equal(
            "Scale", (string?)document["paths"]!["/apis/orchestrator.dev/v1/namespaces/{namespace}/webapps/{name}/scale"]!["patch"]!["x-kubernetes-group-version-kind"]!["kind"]);
        Assert.Null(document["paths"]!["/apis/orchestrator.dev/v1/namespaces/{namespace}/replicas/{name}/scale"]);
        Assert.NotNull(document["paths"]!["/apis/orchestrator.dev/v1/dockerhosts/{name}/status"]);
    }

    [Fact]
    public void A_kind_is_found_by_its_group_version_and_kind()
    {
        var schemas = Read(Documents.V3("api/v1")!)["components"]!["schemas"]!;
        Assert.Equal(
            """[{"group":"","kind":"Secret","version":"v1"}]""", schemas["io.k8s.api.core.v1.Secret"]!["x-kubernetes-group-version-kind"]!.ToJsonString());
        Assert.Equal(
            "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
            (string?)schemas["io.k8s.api.core.v1.Secret"]!["properties"]!["metadata"]!["allOf"]![0]!["$ref"]);
        Assert.Equal(
            "#/components/schemas/io.k8s.api.core.v1.Secret",
            (string?)schemas["io.k8s.api.core.v1.SecretList"]!["properties"]!["items"]!["items"]!["$ref"]);
    }

    private static JsonNode Read(OpenApiDocument document) => JsonNode.Parse(document.Json.Span)!;

    private static IEnumerable<string?> Names(JsonNode operation) => operation["parameters"]!.AsArray().Select(parameter => (string?)parameter!["name"]);

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member =>
            member is { Key: "$ref", Value: JsonValue value } ? [value.GetValue<string>()] : References(member.Value)),
        JsonArray items => items.SelectMany(References),
        _ => [],
    };
}
