using System.Text.Json.Nodes;
using CsCheck;
using Orchestrator.Cli.Manifests;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Tests.Output;

public sealed class YamlWriterTests
{
    [Fact]
    public void Objects_are_written_as_kubectl_writes_them() => Assert.Equal(
        "a: 1\nb:\n- x\n- \"yes\"\n- \"010\"\nc: {}\nd: []\ne: |\n  one\n  two\n",
        YamlWriter.Write(JsonNode.Parse("""{"b":["x","yes","010"],"a":1,"d":[],"c":{},"e":"one\ntwo\n"}""")));

    [Fact]
    public void What_is_written_reads_back_the_same()
    {
        string[] odd = ["yes", "null", "~", "- a", "a: b", "#x", " x", "x ", "'", "\"", "a\nb", "a\n", "\n", "\t", "0x1f", "1e3", "*a", "&a", "!a", "%a", "@a", "`a", "ü€😀", "---", "...", "a\n\n  b\n"];
        var text = Gen.OneOf(Gen.String[Gen.Char[' ', '~'], 0, 12], Gen.Int[0, odd.Length - 1].Select(i => odd[i]));
        Gen.Select(text, text).List[0, 4].Sample(members =>
        {
            var map = new JsonObject(members.DistinctBy(member => member.Item1).Select(member => KeyValuePair.Create(member.Item1, (JsonNode?)member.Item2)));
            var read = YamlDocument.ReadAll(YamlWriter.Write(map)).Single().Content;
            Assert.Equal(GoJson.Write(map), GoJson.Write(read));
        }, iter: 3000);
    }
}
