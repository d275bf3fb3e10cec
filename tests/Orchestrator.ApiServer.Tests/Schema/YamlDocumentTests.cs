using System.Text;
using CsCheck;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Tests.Schema;

public sealed class YamlDocumentTests
{
    [Theory]
    [InlineData("a: 1\nb: [x, \"y\", 1.5]\nc: {d: null, e: ~, f: }", """{"a":1,"b":["x","y",1.5],"c":{"d":null,"e":null,"f":null}}""")]
    [InlineData("[yes, No, on, OFF, y, true, False, 'yes', \"true\"]", """[true,false,true,false,true,true,false,"yes","true"]""")]
    [InlineData("[010, 0o17, 0x1F, 0b101, -5, +7, 1_000, 08, 1e3, .5, 1., 1.2.3, 0]", """[8,15,31,5,-5,7,1000,8,1000,0.5,1,"1.2.3",0]""")]
    [InlineData("[2026-01-02, 2026-01-02T03:04:05Z, 12:30, 1.2.3.4, -, '-', v1]", null)]
    [InlineData("[2026-01-02, 2026-01-02T03:04:05Z, 12:30, 1.2.3.4, '-', v1]", """["2026-01-02","2026-01-02T03:04:05Z","12:30","1.2.3.4","-","v1"]""")]
    [InlineData("a: !!str 1\nb: !!int 2\nc: !!binary YQ==\nd: ! 5", """{"a":"1","b":2,"c":"YQ==","d":"5"}""")]
    [InlineData("1: a\ntrue: b\nnull: c", """{"1":"a","true":"b","null":"c"}""")]
    [InlineData("a: |\n  x\n  y\nb: >-\n  x\n  y", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}")]
    [InlineData("a: &l {x: 1}\nb: *l\nc: [*l, *l]", """{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}""")]
    [InlineData("base: &b {x: 1, y: 2}\na: {<<: *b, y: 3}\nc: {<<: [*b, {z: 4, x: 9}]}", """{"base":{"x":1,"y":2},"a":{"y":3,"x":1},"c":{"x":1,"y":2,"z":4}}""")]
    [InlineData("# nothing\n", "null")]
    [InlineData("", "null")]
    [InlineData("--- {a: 1}\n...\n", """{"a":1}""")]
    [InlineData("""{"a": {"b": [1, "two"]}}""", """{"a":{"b":[1,"two"]}}""")]
    [InlineData("99999999999999999999", "1E+20")]
    public void It_reads_what_kubectl_reads(string text, string? json)
    {
        var document = Parse(text);
        Assert.Equal(json is not null, document.Succeeded);
        Assert.Equal(json, document.Succeeded ? document.Root?.ToJsonString() ?? "null" : null);
    }

    [Theory]
    [InlineData("a: 1\nb: [1\nc: 2", "error converting YAML to JSON: yaml: line 3: ")]
    [InlineData("a: 1\n\tb: 2", "error converting YAML to JSON: yaml: line 1: ")]
    [InlineData("a: 1\n b: 2", "error converting YAML to JSON: yaml: line 2: ")]
    [InlineData("a: 1\nb: *nothing", "error converting YAML to JSON: yaml: line 2: unknown anchor 'nothing' referenced")]
    [InlineData("a: &a [*a]", "error converting YAML to JSON: yaml: line 1: unknown anchor 'a' referenced")]
    [InlineData("a: 1\n---\nb: 2", "error converting YAML to JSON: yaml: line 2: expected one document, found a second")]
    [InlineData("a: 1\n? [x]\n: 2", "error converting YAML to JSON: yaml: line 2: a key must be a scalar")]
    [InlineData("a: .inf", "error converting YAML to JSON: yaml: line 1: .inf has no form in JSON")]
    [InlineData("a: 1e999", "error converting YAML to JSON: yaml: line 1: 1e999 is out of range")]
    [InlineData("a:\n  <<: 1", "error converting YAML to JSON: yaml: line 2: map merge requires map or sequence of maps as the value")]
    [InlineData("a: !!int x", "error converting YAML to JSON: yaml: line 1: cannot decode !!int `x`")]
    [InlineData("a: !custom x", "error converting YAML to JSON: yaml: line 1: cannot decode !!!custom `x`")]
    public void What_is_no_yaml_is_told_with_its_line(string text, string start)
    {
        var document = Parse(text);
        Assert.False(document.Succeeded);
        Assert.StartsWith(start, document.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_that_are_there_twice_are_told_and_the_last_counts()
    {
        var document = Parse("spec:\n  image: a\n  image: b\n  env:\n    - {name: x, name: z}\n");
        Assert.Equal(["spec.image", "spec.env[0].name"], document.DuplicateFields);
        Assert.Equal("""{"spec":{"image":"b","env":[{"name":"z"}]}}""", document.Root!.ToJsonString());
    }

    [Fact]
    public void A_bomb_of_aliases_stays_small()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var level = 1; level < 12; level++)
        {
            var alias = $"*a{level - 1}";
            bomb.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat(alias, 10))}]");
        }

        var document = Parse(bomb.ToString());
        Assert.False(document.Succeeded);
        Assert.True(document.Error.IsTooLarge);
        Assert.Contains("document contains excessive aliasing", document.Error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(22, true)]
    [InlineData(21, false)]
    public void What_aliases_add_is_counted_in_characters_and_values(int limit, bool fits)
    {
        // Twice eleven: a list, and in it two texts of four characters.
        var document = YamlDocument.Parse("a: &a [abcd, efgh]\nb: [*a, *a]"u8, new DocumentLimits { MaxAliasWeight = limit });
        Assert.Equal(fits, document.Succeeded);
    }

    [Fact]
    public void A_bomb_of_one_long_text_stays_small()
    {
        var document = Parse($"a: &a {new string('x', 100_000)}\nb: [{string.Join(", ", Enumerable.Repeat("*a", 1000))}]");
        Assert.True(document.Error?.IsTooLarge);
    }

    [Fact]
    public void A_bomb_of_merges_stays_small()
    {
        var bomb = new StringBuilder("m0: &m0 {k: v}\n");
        for (var level = 1; level < 30; level++)
        {
            bomb.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"m{level}: &m{level} {{<<: [*m{level - 1}, *m{level - 1}, *m{level - 1}], k{level}: *m{level - 1}}}");
        }

        Assert.True(Parse(bomb.ToString()).Error?.IsTooLarge);
    }

    [Fact]
    public void Depth_is_bounded_also_through_aliases()
    {
        Assert.False(Parse(new string('[', 200) + new string(']', 200)).Succeeded);
        var ladder = new StringBuilder("a0: &a0 [x]\n");
        for (var level = 1; level < 200; level++)
        {
            ladder.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"a{level}: &a{level} [*a{level - 1}]");
        }

        Assert.Contains("nested more than 128 levels deep", Parse(ladder.ToString()).Error?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_text_it_answers() =>
        Gen.String[Gen.Char["ab:-[]{},&*!<?'\"|>#%@~\n \t1.e_"], 0, 40].Sample(
            text => Parse(text) is var document && (document.Succeeded || document.Error.Message.Length > 0), iter: 3000);

    private static ParsedDocument Parse(string text) => YamlDocument.Parse(Encoding.UTF8.GetBytes(text), DocumentLimits.Default);
}
