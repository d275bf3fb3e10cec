using System.Text.Json.Nodes;
using CsCheck;
using Orchestrator.ApiServer.Patch;

namespace Orchestrator.ApiServer.Tests.Patch;

public sealed class JsonPatchTests
{
    [Theory]
    [InlineData("""{"foo":"bar"}""", """[{"op":"add","path":"/baz","value":"qux"}]""", """{"foo":"bar","baz":"qux"}""")]
    [InlineData("""{"foo":["a","b"]}""", """[{"op":"add","path":"/foo/1","value":"x"}]""", """{"foo":["a","x","b"]}""")]
    [InlineData("""{"foo":["a"]}""", """[{"op":"add","path":"/foo/-","value":["b"]}]""", """{"foo":["a",["b"]]}""")]
    [InlineData("""{"foo":["a"]}""", """[{"op":"add","path":"/foo/1","value":"b"}]""", """{"foo":["a","b"]}""")]
    [InlineData("""{"a":1,"b":2}""", """[{"op":"remove","path":"/a"}]""", """{"b":2}""")]
    [InlineData("""{"a":[1,2,3]}""", """[{"op":"remove","path":"/a/1"}]""", """{"a":[1,3]}""")]
    [InlineData("""{"a":1,"b":2}""", """[{"op":"replace","path":"/a","value":null}]""", """{"a":null,"b":2}""")]
    [InlineData("""{"a":[1,2,3]}""", """[{"op":"replace","path":"/a/1","value":9}]""", """{"a":[1,9,3]}""")]
    [InlineData("""{"a":{"x":1},"b":{}}""", """[{"op":"move","from":"/a/x","path":"/b/y"}]""", """{"a":{},"b":{"y":1}}""")]
    [InlineData("""{"a":[1,2,3]}""", """[{"op":"move","from":"/a/0","path":"/a/2"}]""", """{"a":[2,3,1]}""")]
    [InlineData("""{"a":{"x":1}}""", """[{"op":"copy","from":"/a","path":"/b"}]""", """{"a":{"x":1},"b":{"x":1}}""")]
    [InlineData("""{"a":{"x":[1,null]}}""", """[{"op":"test","path":"/a","value":{"x":[1,null]}}]""", """{"a":{"x":[1,null]}}""")]
    [InlineData("""{"a":1}""", """[{"op":"test","path":"/b","value":null}]""", """{"a":1}""")]
    [InlineData("""{"a/b":1,"m~n":2}""", """[{"op":"test","path":"/a~1b","value":1},{"op":"remove","path":"/m~0n"}]""", """{"a/b":1}""")]
    [InlineData("""{"~1":1}""", """[{"op":"remove","path":"/~01"}]""", """{}""")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"","value":{"b":2}}]""", """{"b":2}""")]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"","value":{"b":2}}]""", """{"b":2}""")]
    [InlineData("""{"":1}""", """[{"op":"remove","path":"/"}]""", """{}""")]
    [InlineData("""{"a":1}""", """[]""", """{"a":1}""")]
    [InlineData("""{"metadata":{"labels":{}}}""", """[{"op":"add","path":"/metadata/labels/orchestrator.dev~1app","value":"web"}]""",
        """{"metadata":{"labels":{"orchestrator.dev/app":"web"}}}""")]
    public void It_does_what_the_rfc_says(string target, string patch, string expected)
    {
        var original = JsonNode.Parse(target)!.AsObject();
        var result = JsonPatch.Apply(original, JsonNode.Parse(patch));

        Assert.True(result.Succeeded, result.Error?.Message);
        Assert.Equal(JsonNode.Parse(expected)!.ToJsonString(), result.Object.ToJsonString());
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(target), original), "the target was changed");
    }

    [Theory]
    [InlineData("""{"op":"add"}""", PatchFailure.BadRequest, "error decoding patch: a JSON patch must be an array of operations")]
    [InlineData("""[1]""", PatchFailure.BadRequest, "error decoding patch: operation 0: must be an object")]
    [InlineData("""[{"path":"/a"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: has no \"op\"")]
    [InlineData("""[{"op":"spin","path":"/a"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: unexpected kind: spin")]
    [InlineData("""[{"op":"remove"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: has no \"path\"")]
    [InlineData("""[{"op":"remove","path":"a"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: \"path\" is not a JSON pointer: \"a\"")]
    [InlineData("""[{"op":"remove","path":"/a~2"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: \"path\" is not a JSON pointer: \"/a~2\"")]
    [InlineData("""[{"op":"add","path":"/a"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: add has no \"value\"")]
    [InlineData("""[{"op":"move","path":"/a"}]""", PatchFailure.BadRequest, "error decoding patch: operation 0: has no \"from\"")]
    [InlineData("""[{"op":"remove","path":"/x"}]""", PatchFailure.Unprocessable, "remove operation does not apply: doc is missing path: \"/x\": missing value")]
    [InlineData("""[{"op":"replace","path":"/x","value":1}]""", PatchFailure.Unprocessable, "replace operation does not apply: doc is missing path: \"/x\": missing value")]
    [InlineData("""[{"op":"add","path":"/x/y","value":1}]""", PatchFailure.Unprocessable, "add operation does not apply: doc is missing path: \"/x/y\": missing value")]
    [InlineData("""[{"op":"add","path":"/n/y","value":1}]""", PatchFailure.Unprocessable, "add operation does not apply: doc is missing path: \"/n/y\": missing value")]
    [InlineData("""[{"op":"copy","from":"/x","path":"/y"}]""", PatchFailure.Unprocessable, "copy operation does not apply: doc is missing path: \"/x\": missing value")]
    [InlineData("""[{"op":"test","path":"/a/b","value":2}]""", PatchFailure.Unprocessable, "testing value /a/b failed: test failed")]
    [InlineData("""[{"op":"move","from":"/a","path":"/a/b"}]""", PatchFailure.Unprocessable, "move operation does not apply: /a/b is inside of /a")]
    [InlineData("""[{"op":"remove","path":""}]""", PatchFailure.Unprocessable, "the patch leaves no object")]
    public void What_it_cannot_apply_it_explains(string patch, PatchFailure failure, string message)
    {
        var result = JsonPatch.Apply(JsonNode.Parse("""{"a":{"b":1},"l":[1],"n":null}""")!.AsObject(), JsonNode.Parse(patch));

        Assert.False(result.Succeeded);
        Assert.Equal((failure, message), (result.Error.Failure, result.Error.Message));
    }

    [Theory]
    [InlineData("/l/2")]
    [InlineData("/l/01")]
    [InlineData("/l/-1")]
    [InlineData("/l/99999999999")]
    public void An_index_out_of_range_is_named(string path)
    {
        var result = JsonPatch.Apply(
            JsonNode.Parse("""{"l":[1]}""")!.AsObject(), new JsonArray(new JsonObject { ["op"] = "add", ["path"] = path, ["value"] = 1 }));
        Assert.Contains($"Unable to access invalid index: {path[3..]}", result.Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Copies_cannot_blow_an_object_up()
    {
        var doubling = new JsonArray();
        for (var round = 0; round < 60; round++)
        {
            doubling.Add((JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "/a", ["path"] = "/a/" + round });
        }

        var deepest = JsonPatch.Apply(JsonNode.Parse("""{"a":{}}""")!.AsObject(), doubling);
        Assert.Equal(PatchFailure.TooLarge, deepest.Error?.Failure);

        var widening = new JsonArray();
        for (var round = 0; round < 60; round++)
        {
            widening.Add((JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "/a", ["path"] = "/a/-" });
            widening.Add((JsonNode)new JsonObject { ["op"] = "move", ["from"] = "/a", ["path"] = "/b" });
            widening.Add((JsonNode)new JsonObject { ["op"] = "add", ["path"] = "/a", ["value"] = new JsonArray() });
            widening.Add((JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "/b", ["path"] = "/a/-" });
            widening.Add((JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "/b", ["path"] = "/a/-" });
        }

        var widest = JsonPatch.Apply(JsonNode.Parse("""{"a":[]}""")!.AsObject(), widening);
        Assert.Equal(PatchFailure.TooLarge, widest.Error?.Failure);
    }

    [Theory]
    [InlineData(199, true)]
    [InlineData(200, false)]
    public void What_copies_carry_is_counted(int copies, bool fits)
    {
        var target = new JsonObject { ["a"] = new JsonArray([.. Enumerable.Range(0, 1000).Select(index => (JsonNode)index)]) };
        var patch = new JsonArray([.. Enumerable.Range(0, copies).Select(index => (JsonNode)new JsonObject { ["op"] = "copy", ["from"] = "/a", ["path"] = "/b" + index })]);
        Assert.Equal(fits, JsonPatch.Apply(target, patch).Succeeded);
    }

    [Fact]
    public void More_operations_than_the_limit_are_refused()
    {
        var patch = new JsonArray([.. Enumerable.Range(0, JsonPatch.MaxOperations + 1).Select(_ => (JsonNode)new JsonObject())]);
        Assert.Equal(PatchFailure.TooLarge, JsonPatch.Apply([], patch).Error?.Failure);
    }

    [Fact]
    public void Whatever_the_operations_it_answers_and_leaves_the_target_alone()
    {
        var paths = Gen.OneOf("", "/", "/a", "/b", "/a/b", "/a/0", "/a/-", "/b/a/c", "/~0", "/a~1b", "x", "/a/1");
        var operations = Gen.Select(Gen.OneOf("add", "remove", "replace", "move", "copy", "test"), paths, paths, Documents.Any)
            .Select((name, path, from, value) => (JsonNode)new JsonObject
            {
                ["op"] = name, ["path"] = path, ["from"] = from, ["value"] = value?.DeepClone(),
            });
        Gen.Select(Documents.WithoutNulls, operations.Array[0, 8]).Sample((target, patch) =>
        {
            var before = target.ToJsonString();
            var result = JsonPatch.Apply(target, new JsonArray([.. patch.Select(operation => operation.DeepClone())]));
            return target.ToJsonString() == before && (result.Succeeded || result.Error.Message.Length > 0);
        });
    }
}
