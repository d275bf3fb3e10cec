using System.Text.Json.Nodes;
using CsCheck;
using Orchestrator.Cli.Applying;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Applying;

public sealed class ThreeWayMergeTests
{
    [Theory]
    [InlineData("nothing changed", """{"a":1}""", """{"a":1}""", """{"a":1,"b":2}""", "{}")]
    [InlineData("a field is new", """{}""", """{"a":1}""", """{}""", """{"a":1}""")]
    [InlineData("a field differs", """{"a":1}""", """{"a":2}""", """{"a":1}""", """{"a":2}""")]
    [InlineData("somebody else changed it", """{"a":1}""", """{"a":1}""", """{"a":3}""", """{"a":1}""")]
    [InlineData("a field was taken out of the manifest", """{"a":1,"b":1}""", """{"a":1}""", """{"a":1,"b":1}""", """{"b":null}""")]
    [InlineData("it has gone already", """{"a":1,"b":1}""", """{"a":1}""", """{"a":1}""", "{}")]
    [InlineData("the server's own fields stay", """{"a":1}""", """{"a":1}""", """{"a":1,"status":{"x":1}}""", "{}")]
    [InlineData("maps are merged", """{"m":{"a":1,"b":1}}""", """{"m":{"a":2}}""", """{"m":{"a":1,"b":1,"c":1}}""", """{"m":{"a":2,"b":null}}""")]
    [InlineData("lists are taken whole", """{"l":[1,2]}""", """{"l":[2]}""", """{"l":[1,2]}""", """{"l":[2]}""")]
    [InlineData("a null asks for nothing", """{}""", """{"a":null,"m":{"x":null}}""", """{"a":1}""", "{}")]
    [InlineData("a null keeps a field from being removed", """{"a":1}""", """{"a":null}""", """{"a":1}""", "{}")]
    [InlineData("an empty map is set where there is none", """{}""", """{"m":{}}""", """{}""", """{"m":{}}""")]
    [InlineData("and not where there is one", """{}""", """{"m":{}}""", """{"m":{"a":1}}""", "{}")]
    [InlineData("a map takes the place of a value", """{"m":1}""", """{"m":{"a":1}}""", """{"m":1}""", """{"m":{"a":1}}""")]
    [InlineData("numbers are equal by value", """{"a":1}""", """{"a":1}""", """{"a":1.0}""", "{}")]
    public void The_patch_is_what_kubectl_would_send(string why, string original, string modified, string current, string patch) =>
        Assert.Equal((why, patch), (why, GoJson.Write(ThreeWayMerge.Patch(Map(original), Map(modified), Map(current)))));

    [Fact]
    public void Without_a_record_of_the_last_time_nothing_is_removed() =>
        Assert.Equal("{}", GoJson.Write(ThreeWayMerge.Patch(null, Map("""{"a":1}"""), Map("""{"a":1,"b":1}"""))));

    [Fact]
    public void After_the_patch_the_object_has_what_the_manifest_says_and_a_second_apply_changes_nothing()
    {
        var name = Gen.Int[0, 2].Select(i => "abc"[i].ToString());
        var leaf = Gen.Int[0, 3].Select(number => (JsonNode)JsonValue.Create(number));
        var inner = Maps(name, leaf);
        var middle = Maps(name, Gen.OneOf(leaf, inner.Select(one => (JsonNode)one)));
        var map = Maps(name, Gen.OneOf(leaf, middle.Select(one => (JsonNode)one)));
        Gen.Select(map, map, map).Sample((original, modified, current) =>
        {
            var patched = Apply(current, ThreeWayMerge.Patch(original, modified, current));
            Assert.True(Contains(patched, modified), $"{patched} lacks some of {modified}");
            Assert.Empty(ThreeWayMerge.Patch(modified, modified, patched));
        }, iter: 2000);
    }

    private static Gen<JsonObject> Maps(Gen<string> name, Gen<JsonNode> value) =>
        Gen.Select(name, value).List[0, 3].Select(members => new JsonObject(
            members.DistinctBy(member => member.Item1).Select(member => KeyValuePair.Create(member.Item1, (JsonNode?)member.Item2.DeepClone()))));

    private static bool Contains(JsonNode? whole, JsonNode? part) => part is JsonObject map
        ? whole is JsonObject there && map.All(member => Contains(there[member.Key], member.Value))
        : JsonNode.DeepEquals(whole, part);

    /// <summary>RFC 7386.</summary>
    private static JsonObject Apply(JsonNode? target, JsonObject patch)
    {
        var result = target is JsonObject map ? map.DeepClone().AsObject() : [];
        foreach (var (key, value) in patch)
        {
            if (value is null)
            {
                result.Remove(key);
            }
            else
            {
                result[key] = value is JsonObject inner ? Apply(result[key], inner) : value.DeepClone();
            }
        }

        return result;
    }

    private static JsonObject Map(string json) => JsonNode.Parse(json)!.AsObject();
}
