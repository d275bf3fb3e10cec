using System.Text;
using Orchestrator.Cli.Manifests;
using YamlDotNet.Core;

namespace Orchestrator.Cli.Tests.Manifests;

public sealed class YamlDocumentTests
{
    [Theory]
    [InlineData("a: 1\nb: [x, 'y', \"z\"]", """{"a":1,"b":["x","y","z"]}""")]
    [InlineData("a: &x {b: 1}\nc: *x", """{"a":{"b":1},"c":{"b":1}}""")]
    [InlineData("base: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", """{"base":{"b":1,"c":2},"d":{"b":1,"c":3}}""")]
    [InlineData("d: {<<: [{a: 1}, {a: 2, b: 2}]}", """{"d":{"a":1,"b":2}}""")]
    [InlineData("a: |\n  one\n  two\nb: >-\n  one\n  two", """{"a":"one\ntwo\n","b":"one two"}""")]
    [InlineData("1: x\ntrue: z", """{"1":"x","true":"z"}""")]
    [InlineData("# nothing\n", "null")]
    [InlineData("a:\n", """{"a":null}""")]
    public void Yaml_becomes_json(string yaml, string json) =>
        Assert.Equal(json, GoJson.Write(YamlDocument.ReadAll(yaml).Select(document => document.Content).SingleOrDefault()));

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3", 3, "\"a\" is there twice")]
    [InlineData("a: *x", 1, "no anchor")]
    [InlineData("a: &x [*x]", 1, "contains itself")]
    [InlineData("[a]: 1", 1, "a key must be a word")]
    [InlineData("a: {<<: 1}", 1, "merges maps only")]
    [InlineData("a: ]", 1, "")]
    [InlineData("a: !!int x", 1, "is no int")]
    public void What_is_wrong_is_told_with_its_line(string yaml, int line, string message)
    {
        var failure = Assert.ThrowsAny<YamlException>(() => YamlDocument.ReadAll(yaml).Count());

        Assert.Equal(line, failure.Start.Line);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bomb_of_aliases_is_refused()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var level = 1; level < 30; level++)
        {
            bomb.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 9))}]\n");
        }

        var failure = Assert.Throws<YamlException>(() => YamlDocument.ReadAll(bomb.ToString()).Count());

        Assert.Contains("aliases expand to more than", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_may_be_used_up_to_the_limit()
    {
        var list = string.Join(", ", Enumerable.Repeat("x", YamlDocument.MaxAliasedValues - 1));

        Assert.Single(YamlDocument.ReadAll($"a: &a [{list}]\nb: *a"));
        Assert.Throws<YamlException>(() => YamlDocument.ReadAll($"a: &a [{list}, x]\nb: *a").Count());
    }

    [Fact]
    public void Deep_nesting_is_refused_before_the_stack_ends()
    {
        var failure = Assert.ThrowsAny<YamlException>(() => YamlDocument.ReadAll(new string('[', 5_000)).Count());

        Assert.Contains("nested deeper", failure.Message, StringComparison.Ordinal);
    }
}
