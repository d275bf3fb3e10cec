using System.Text.Json.Nodes;
using CsCheck;
using Orchestrator.ApiServer.Patch;

namespace Orchestrator.ApiServer.Tests.Patch;

public sealed class MergePatchTests
{
    /// <summary>The cases of RFC 7386, appendix A, whose target and result are objects.</summary>
    [Theory]
    [InlineData("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [InlineData("""{"a":"b"}""", """{"a":null}""", """{}""")]
    [InlineData("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [InlineData("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [InlineData("""{"a":"c"}""", """{"a":["b"]}""", """{"a":["b"]}""")]
    [InlineData("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [InlineData("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"e":null}""", """{"a":1}""", """{"e":null,"a":1}""")]
    [InlineData("""{}""", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void It_does_what_the_rfc_says(string target, string patch, string expected)
    {
        var original = JsonNode.Parse(target)!.AsObject();
        var result = MergePatch.Apply(original, JsonNode.Parse(patch));

        Assert.True(result.Succeeded);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), result.Object), result.Object.ToJsonString());
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(target), original), "the target was changed");
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("\"x\"")]
    [InlineData("null")]
    public void A_patch_that_is_no_object_is_a_bad_request(string patch) =>
        Assert.Equal(PatchFailure.BadRequest, MergePatch.Apply([], JsonNode.Parse(patch)).Error?.Failure);

    [Fact]
    public void Applying_twice_is_applying_once_and_no_null_is_left_that_was_not_there() =>
        Gen.Select(Documents.WithoutNulls, Documents.Any).Sample((target, patch) =>
        {
            var once = MergePatch.Apply(target, patch);
            if (!once.Succeeded)
            {
                return patch is not JsonObject;
            }

            return JsonNode.DeepEquals(once.Object, MergePatch.Apply(once.Object, patch).Object) && !Documents.HasNullMember(once.Object);
        });
}
