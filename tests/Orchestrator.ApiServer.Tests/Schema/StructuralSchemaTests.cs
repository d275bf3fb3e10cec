using System.Text.Json.Nodes;
using k8s.Models;
using Orchestrator.ApiServer.Schema;
using Orchestrator.ApiServer.Schema.Kinds;

namespace Orchestrator.ApiServer.Tests.Schema;

public sealed class StructuralSchemaTests
{
    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","nullable":true}}}""", """{"a":null}""", "")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}}""", """{"a":[null]}""",
        """a[0]: Invalid value: "null": a[0] in body must be of type string: "null" """)]
    [InlineData("""{"type":"object","additionalProperties":{"type":"integer"}}""", """{"a":1,"b":"x"}""",
        """b: Invalid value: "string": b in body must be of type integer: "string" """)]
    [InlineData("""{"type":"object","additionalProperties":true}""", """{"a":1,"b":{"c":[null]}}""", "")]
    [InlineData("""{"type":"object","minProperties":1}""", "{}", "Invalid value: 0:  in body should have at least 1 properties")]
    [InlineData("""{"type":"object","maxProperties":1}""", """{"a":1,"b":2}""", "Too many: 2: must have at most 1 item")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"number","minimum":0.5,"exclusiveMinimum":true}}}""", """{"a":0.5}""",
        "a: Invalid value: 0.5: a in body should be greater than 0.5")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","maximum":3,"exclusiveMaximum":true}}}""", """{"a":3}""",
        "a: Invalid value: 3: a in body should be less than 3")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","multipleOf":5}}}""", """{"a":7}""",
        "a: Invalid value: 7: a in body should be a multiple of 5")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"number"}}}""", """{"a":7}""", "")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","maxLength":2}}}""", """{"a":"ääöö"}""", "a: Too long: may not be more than 2 bytes")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","minLength":2}}}""", """{"a":"Ü"}""",
        """a: Invalid value: "Ü": a in body should be at least 2 chars long""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","minLength":2}}}""", """{"a":"😀"}""",
        """a: Invalid value: "\uD83D\uDE00": a in body should be at least 2 chars long""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","pattern":"^a$"}}}""", """{"a":"a\n"}""",
        """a: Invalid value: "a\n": a in body should match '^a$'""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","enum":[1,2]}}}""", """{"a":3}""",
        """a: Unsupported value: 3: supported values: "1", "2" """)]
    [InlineData("""{"type":"object","properties":{"a":{"anyOf":[{"type":"string","enum":["x"]},{"type":"boolean"}]}}}""", """{"a":1}""",
        """a: Invalid value: "": "a" must validate at least one schema (anyOf); a: Invalid value: "integer": a in body must be of type string: "integer" """)]
    [InlineData("""{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}]}""", """{"a":1,"b":2}""",
        """Invalid value: "": "" must validate one and only one schema (oneOf). Found 2 valid alternatives""")]
    [InlineData("""{"type":"object","not":{"required":["a"]}}""", """{"a":1}""", """Invalid value: "": "" must not validate the schema (not)""")]
    [InlineData("""{"type":"object","allOf":[{"required":["a"]},{"required":["b"]}]}""", "{}", "a: Required value; b: Required value")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k","l"],"items":{"type":"object"}}}}""",
        """{"a":[{"k":1,"l":2},{"k":1},{"l":2,"k":1},{"k":1}]}""", """a[2]: Duplicate value: {"k":1,"l":2}; a[3]: Duplicate value: {"k":1}""")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","format":"date"}}}""", """{"a":"2026-02-30"}""",
        """a: Invalid value: "2026-02-30": a in body must be of type date: "2026-02-30" """)]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","format":"ipv4"},"b":{"type":"string","format":"ipv6"}}}""",
        """{"a":"10.0.0.1","b":"::1"}""", "")]
    public void Each_keyword_is_kept(string schema, string value, string expected)
    {
        var errors = new FieldErrors();
        SchemaValidation.Validate(JsonNode.Parse(value)!.AsObject(), StructuralSchema.Parse(JsonNode.Parse(schema)!.AsObject()), errors);
        Assert.Equal(expected.TrimEnd(), string.Join("; ", errors));
    }

    [Theory]
    [InlineData("^\\d+$", "12", true)]
    [InlineData("^\\d+$", "١٢", false)]
    [InlineData("^[\\w-]+$", "a-b_c", true)]
    [InlineData("^[\\w-]+$", "ä", false)]
    [InlineData("^[^]a]$", "]", false)]
    [InlineData("^[]a]$", "]", true)]
    [InlineData("^[a-z-[]+$", "a-[", true)]
    [InlineData("a\\$b", "a$b", true)]
    [InlineData("^[$]$", "$", true)]
    [InlineData("(?i)abc", "xABCx", true)]
    public void Patterns_mean_what_they_mean_in_go(string pattern, string text, bool matches)
    {
        Assert.True(SchemaPattern.TryCompile(pattern, out var compiled, out var error), error);
        Assert.Equal(matches, compiled.IsMatch(text));
    }

    [Theory]
    [InlineData("(?=a)b")]
    [InlineData("(a)\\1")]
    [InlineData("[")]
    public void Patterns_that_go_refuses_are_refused(string pattern) => Assert.False(SchemaPattern.TryCompile(pattern, out _, out _));

    [Fact]
    public void What_is_preserved_is_not_pruned_but_what_is_specified_in_it_is()
    {
        var schema = StructuralSchema.Parse(JsonNode.Parse(
            """
            {"type":"object","properties":{
              "open":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"known":{"type":"object","properties":{"a":{"type":"string"}}}}},
              "map":{"type":"object","additionalProperties":{"type":"object","properties":{"a":{"type":"string"}}}},
              "embedded":{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object"}}},
              "list":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"}}}}}}
            """)!.AsObject());
        var value = JsonNode.Parse(
            """
            {"apiVersion":"v1","kind":"X","metadata":{"name":"x"},
             "open":{"any":{"b":1},"known":{"a":"","b":1}},"map":{"x":{"a":"","b":1}},
             "embedded":{"apiVersion":"v1","kind":"Y","metadata":{"name":"y","nmae":"z"},"spce":{}},"list":[{"a":""},{"b":1},3]}
            """)!.AsObject();

        Assert.Equal(
            ["embedded.metadata.nmae", "embedded.spce", "list[1].b", "map.x.b", "open.known.b"], Pruning.Apply(value, schema));
        Assert.Equal(
            """{"apiVersion":"v1","kind":"X","metadata":{"name":"x"},"open":{"any":{"b":1},"known":{"a":""}},"map":{"x":{"a":""}},"embedded":{"apiVersion":"v1","kind":"Y","metadata":{"name":"y"}},"list":[{"a":""},{},3]}""",
            value.ToJsonString());
    }

    [Theory]
    [InlineData("500m", 0.5)]
    [InlineData("2", 2)]
    [InlineData("+.5", 0.5)]
    [InlineData("5.", 5)]
    [InlineData("64Mi", 67108864)]
    [InlineData("1.5Gi", 1610612736)]
    [InlineData("1e3", 1000)]
    [InlineData("1E", 1e18)]
    [InlineData("12E-1", 1.2)]
    [InlineData("100n", 0.0000001)]
    [InlineData("7u", 0.000007)]
    [InlineData("2k", 2000)]
    [InlineData("0", 0)]
    public void A_quantity_is_read_as_typed_clients_read_it(string text, double expected)
    {
        Assert.True(Quantity.TryParse(text, out var value));
        Assert.Equal((decimal)expected, value);
        Assert.Equal(new ResourceQuantity(text).ToDecimal(), value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Mi")]
    [InlineData("1Mib")]
    [InlineData("1 Mi")]
    [InlineData("--1")]
    [InlineData("1e99")]
    [InlineData("1e")]
    [InlineData("9Ei")]
    [InlineData("9223372036854775808")]
    public void What_is_no_quantity_is_refused(string text) => Assert.False(Quantity.TryParse(text, out _));
}
