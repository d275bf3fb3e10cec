using System.Text.Json.Nodes;
using CsCheck;
using Orchestrator.ApiServer.Tables;

namespace Orchestrator.ApiServer.Tests.Tables;

public sealed class JsonPathTests
{
    private static readonly JsonNode Document = JsonNode.Parse(
        """
        {
          "spec": { "n": 3, "null": null, "hosts": ["a", "b", "c"] },
          "metadata": { "annotations": { "example.org/key": "v" } },
          "status": { "conditions": [
            { "type": "Ready", "status": "True", "weight": 2 },
            { "type": "Other", "status": "False", "weight": 1, "extra": {} },
            { "status": "Unknown" }
          ] }
        }
        """)!;

    [Theory]
    [InlineData(".spec.n", "[3]")]
    [InlineData("spec.n", "[3]")]
    [InlineData("$.spec.n", "[3]")]
    [InlineData("{.spec.n}", "[3]")]
    [InlineData(".spec.null", "[null]")]
    [InlineData(".spec.missing.deeper", "[]")]
    [InlineData(".spec.n.deeper", "[]")]
    [InlineData(".spec.hosts", """[["a","b","c"]]""")]
    [InlineData(".spec.hosts[0]", """["a"]""")]
    [InlineData(".spec.hosts[-1]", """["c"]""")]
    [InlineData(".spec.hosts[-4]", "[]")]
    [InlineData(".spec.hosts[3]", "[]")]
    [InlineData(".spec.hosts[1:]", """["b","c"]""")]
    [InlineData(".spec.hosts[:-1]", """["a","b"]""")]
    [InlineData(".spec.hosts[*]", """["a","b","c"]""")]
    [InlineData(".spec.*", """[3,null,["a","b","c"]]""")]
    [InlineData(".spec['n']", "[3]")]
    [InlineData(".metadata.annotations.example\\.org/key", """["v"]""")]
    [InlineData(".metadata.annotations['example.org/key']", """["v"]""")]
    [InlineData(".status.conditions[?(@.type==\"Ready\")].status", """["True"]""")]
    [InlineData(".status.conditions[?(@.type=='Other')].status", """["False"]""")]
    [InlineData(".status.conditions[?( @.type != 'Ready' )].status", """["False"]""")]
    [InlineData(".status.conditions[?(@.weight>1)].type", """["Ready"]""")]
    [InlineData(".status.conditions[?(@.weight<=1)].type", """["Other"]""")]
    [InlineData(".status.conditions[?(@.extra)].type", """["Other"]""")]
    [InlineData(".status.conditions[?(@.type==1)].status", "[]")]
    [InlineData(".status.conditions[*].type", """["Ready","Other"]""")]
    public void It_finds_what_kubernetes_finds(string path, string expected)
    {
        var found = JsonPath.Parse(path).Find(Document).Select(node => node?.DeepClone());
        Assert.Equal(expected, new JsonArray([.. found]).ToJsonString());
    }

    [Theory]
    [InlineData(".spec..n")]
    [InlineData(".spec[")]
    [InlineData(".spec[x]")]
    [InlineData(".spec[?(@.a==)]")]
    [InlineData(".spec[?(@.a=='x')")]
    [InlineData(".spec[?(@.a=='x]")]
    [InlineData(".a b")]
    [InlineData(".spec[1:2:3]")]
    [InlineData(".spec[99999999999]")]
    public void What_is_no_path_is_refused(string path)
    {
        Assert.False(JsonPath.TryParse(path, out _, out var error));
        Assert.NotEmpty(error);
        Assert.Throws<FormatException>(() => JsonPath.Parse(path));
    }

    [Fact]
    public void Whatever_the_path_it_answers() =>
        Gen.String[Gen.Char[".[]?()@='\"ab*:-19\\ $<!{}"], 0, 20].Sample(
            text => JsonPath.TryParse(text, out var path, out var error) ? path.Find(Document).Count() >= 0 : error.Length > 0);
}
