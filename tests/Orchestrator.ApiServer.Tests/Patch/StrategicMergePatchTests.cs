using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Patch;

namespace Orchestrator.ApiServer.Tests.Patch;

public sealed class StrategicMergePatchTests
{
    private const string Target =
        """
        {
          "metadata": {
            "name": "x",
            "labels": { "a": "1", "b": "2" },
            "finalizers": ["f1", "f2"],
            "ownerReferences": [{ "uid": "u1", "name": "one" }, { "uid": "u2", "name": "two" }]
          },
          "spec": { "finalizers": ["kubernetes"] },
          "status": { "conditions": [{ "type": "T", "status": "False", "reason": "R" }] }
        }
        """;

    [Theory]
    [InlineData("maps merge and null removes", """{"metadata":{"labels":{"a":null,"c":"3"}}}""", "/metadata/labels", """{"b":"2","c":"3"}""")]
    [InlineData("finalizers unite", """{"metadata":{"finalizers":["f2","f3"]}}""", "/metadata/finalizers", """["f1","f2","f3"]""")]
    [InlineData("finalizers are deleted by name", """{"metadata":{"$deleteFromPrimitiveList/finalizers":["f1"]}}""", "/metadata/finalizers", """["f2"]""")]
    [InlineData("finalizers are ordered", """{"metadata":{"$setElementOrder/finalizers":["f3","f2"],"finalizers":["f3"]}}""", "/metadata/finalizers", """["f3","f2","f1"]""")]
    [InlineData("owners merge by uid", """{"metadata":{"ownerReferences":[{"uid":"u2","name":"TWO"},{"uid":"u3"}]}}""", "/metadata/ownerReferences",
        """[{"uid":"u1","name":"one"},{"uid":"u2","name":"TWO"},{"uid":"u3"}]""")]
    [InlineData("an owner is deleted by uid", """{"metadata":{"ownerReferences":[{"uid":"u1","$patch":"delete"},{"uid":"u9","$patch":"delete"}]}}""",
        "/metadata/ownerReferences", """[{"uid":"u2","name":"two"}]""")]
    [InlineData("owners are replaced", """{"metadata":{"ownerReferences":[{"$patch":"replace"},{"uid":"u3"}]}}""", "/metadata/ownerReferences", """[{"uid":"u3"}]""")]
    [InlineData("owners are ordered", """{"metadata":{"$setElementOrder/ownerReferences":[{"uid":"u2"},{"uid":"u1"}]}}""", "/metadata/ownerReferences",
        """[{"uid":"u2","name":"two"},{"uid":"u1","name":"one"}]""")]
    [InlineData("conditions merge by type", """{"status":{"conditions":[{"type":"T","status":"True"},{"type":"U","status":"True"}]}}""", "/status/conditions",
        """[{"type":"T","status":"True","reason":"R"},{"type":"U","status":"True"}]""")]
    [InlineData("atomic lists are replaced", """{"spec":{"finalizers":["other"]}}""", "/spec/finalizers", """["other"]""")]
    [InlineData("an object is replaced", """{"metadata":{"labels":{"$patch":"replace","z":"1"}}}""", "/metadata/labels", """{"z":"1"}""")]
    [InlineData("an object is emptied", """{"metadata":{"labels":{"$patch":"delete"}}}""", "/metadata/labels", """{}""")]
    [InlineData("only some keys are retained", """{"metadata":{"labels":{"$retainKeys":["b","c"],"c":"3"}}}""", "/metadata/labels", """{"b":"2","c":"3"}""")]
    [InlineData("directives are not stored", """{"metadata":{"annotations":{"$patch":"merge","a":"1","b":null}}}""", "/metadata/annotations", """{"a":"1"}""")]
    public void It_does_what_kubernetes_does(string what, string patch, string path, string expected)
    {
        var target = JsonNode.Parse(Target)!.AsObject();
        var result = StrategicMergePatch.Apply(target, JsonNode.Parse(patch), PatchStrategies.Of("", "Namespace")!);

        Assert.True(result.Succeeded, result.Error?.Message);
        var actual = path[1..].Split('/').Aggregate((JsonNode?)result.Object, (node, name) => node?[name]);
        Assert.True(JsonNode.Parse(expected)!.ToJsonString() == actual?.ToJsonString(), $"{what}: {actual?.ToJsonString()}");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Target), target), "the target was changed");
    }

    [Theory]
    [InlineData("[]", PatchFailure.BadRequest, "error decoding patch: a strategic merge patch must be a JSON object")]
    [InlineData("""{"metadata":{"$patch":"spin"}}""", PatchFailure.BadRequest, "Unknown patch type: spin")]
    [InlineData("""{"metadata":{"ownerReferences":[{"name":"x"}]}}""", PatchFailure.Unprocessable, """map: {"name":"x"} does not contain declared merge key: uid""")]
    [InlineData("""{"metadata":{"ownerReferences":[1]}}""", PatchFailure.BadRequest, "invalid patch format: ownerReferences must be a list of objects")]
    [InlineData("""{"metadata":{"finalizers":[{}]}}""", PatchFailure.BadRequest, "invalid patch format of primitive list: finalizers")]
    [InlineData("""{"metadata":{"$setElementOrder/finalizers":1}}""", PatchFailure.BadRequest, "invalid patch format of setElementOrder list: finalizers")]
    [InlineData("""{"metadata":{"$retainKeys":[1]}}""", PatchFailure.BadRequest, "invalid patch format of retainKeys")]
    [InlineData("""{"metadata":{"$retainKeys":["a"],"b":1}}""", PatchFailure.BadRequest, "invalid patch format of retainKeys: a field that is set is not retained")]
    public void What_it_cannot_apply_it_explains(string patch, PatchFailure failure, string message)
    {
        var result = StrategicMergePatch.Apply(JsonNode.Parse(Target)!.AsObject(), JsonNode.Parse(patch), PatchStrategies.Of("", "Namespace")!);

        Assert.False(result.Succeeded);
        Assert.Equal((failure, message), (result.Error.Failure, result.Error.Message));
    }

    [Fact]
    public void Custom_resources_take_none()
    {
        Assert.Null(PatchStrategies.Of("orchestrator.dev", "WebApp"));
        Assert.NotNull(PatchStrategies.Of("", "Secret"));
        Assert.NotNull(PatchStrategies.Of("coordination.k8s.io", "Lease"));
    }
}
