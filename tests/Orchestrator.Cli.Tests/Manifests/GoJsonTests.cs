using System.Text.Json.Nodes;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Manifests;

public sealed class GoJsonTests
{
    [Theory]
    [InlineData("""{"b":1,"a":{"d":[],"c":{}}}""", """{"a":{"c":{},"d":[]},"b":1}""")]
    [InlineData("""["<a href='x'>&</a>"]""", """["\u003ca href='x'\u003e\u0026\u003c/a\u003e"]""")]
    [InlineData("[\"\\u2028 ü € \\ud83d\\ude00\"]", "[\"\\u2028 ü € \U0001F600\"]")]
    [InlineData("""["\u0001\b\t\n\f\r\"\\/"]""", """["\u0001\b\t\n\f\r\"\\/"]""")]
    [InlineData("[1.0, 1e3, 0.000001, 1e-7, 1e21, 123456789012345678, -0.0, 1.5]", "[1,1000,0.000001,1e-7,1e+21,123456789012345678,-0,1.5]")]
    [InlineData("[true, false, null]", "[true,false,null]")]
    public void Json_is_written_as_Go_writes_it(string json, string expected) => Assert.Equal(expected, GoJson.Write(JsonNode.Parse(json)));

    [Fact]
    public void Keys_are_in_the_order_of_their_bytes() =>
        Assert.Equal("{\"\uffee\":1,\"\U0001F600\":2}", GoJson.Write(new JsonObject { ["\U0001F600"] = 2, ["\uffee"] = 1 }));
}
