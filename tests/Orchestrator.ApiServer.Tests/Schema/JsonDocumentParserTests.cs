using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Orchestrator.ApiServer.Schema.Documents;
using Orchestrator.ApiServer.Tests.Patch;

namespace Orchestrator.ApiServer.Tests.Schema;

public sealed class JsonDocumentParserTests
{
    [Theory]
    [InlineData("""{"a":1,"b":[true,null,"x",1.5,-2]}""")]
    [InlineData("""{"big":9223372036854775807,"small":-9223372036854775808,"bigger":1E+20}""")]
    [InlineData("null")]
    [InlineData("[]")]
    public void A_document_comes_out_as_it_went_in(string text) =>
        Assert.Equal(text, Parse(text).Root?.ToJsonString() ?? "null");

    [Theory]
    [InlineData("""{"a":3.0}""", """{"a":3}""")]
    [InlineData("""{"a":1e2}""", """{"a":100}""")]
    [InlineData("""{"a":-0.0}""", """{"a":0}""")]
    public void A_number_without_a_fraction_is_an_integer_however_it_is_written(string text, string expected) =>
        Assert.Equal(expected, Parse(text).Root!.ToJsonString());

    [Fact]
    public void Fields_that_are_there_twice_are_told_and_the_last_counts()
    {
        var document = Parse("""{"spec":{"image":"a","image":"b","image":"c","env":[{"name":"x"},{"name":"y","name":"z"}]},"kind":"A","kind":"A"}""");
        Assert.True(document.Succeeded);
        Assert.Equal(["spec.image", "spec.env[1].name", "kind"], document.DuplicateFields);
        Assert.Equal("""{"spec":{"image":"c","env":[{"name":"x"},{"name":"z"}]},"kind":"A"}""", document.Root!.ToJsonString());
    }

    [Fact]
    public void The_paths_of_fields_that_are_there_twice_are_short_however_long_the_names()
    {
        var (key, members) = (new string('k', 1_000_000), string.Join(',', Enumerable.Range(0, 100).Select(i => $"\"a{i}\":1,\"a{i}\":2")));
        var document = Parse($$$"""{"{{{key}}}":{{{{members}}}},"{{{key}}}":3}""");
        Assert.Equal(100, document.DuplicateFields.Count);
        Assert.All(document.DuplicateFields, path => Assert.Equal(512, path.Length));
        Assert.EndsWith("kkk.a42", document.DuplicateFields[42], StringComparison.Ordinal);
        Assert.Contains("kkk…kkk", document.DuplicateFields[42], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "invalid JSON: line 1, column 1: ")]
    [InlineData("{\n  \"a\": 1,\n  \"b\": nope\n}", "invalid JSON: line 3, column 9: ")]
    [InlineData("{\"a\":1} x", "invalid JSON: line 1, column 9: ")]
    [InlineData("{\"a\":1,}", "invalid JSON: line 1, column 8: ")]
    [InlineData("{'a':1}", "invalid JSON: line 1, column 2: ")]
    [InlineData("{\"a\":1e999}", "invalid JSON: a number at a is out of range")]
    [InlineData("{\"a\":\"\\ud800\"}", "invalid JSON: ")]
    public void What_is_no_json_is_told_with_its_place(string text, string start)
    {
        var document = Parse(text);
        Assert.False(document.Succeeded);
        Assert.StartsWith(start, document.Error.Message, StringComparison.Ordinal);
        Assert.False(document.Error.IsTooLarge);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused() =>
        Assert.Equal("invalid JSON: the body is not UTF-8", JsonDocumentParser.Parse([(byte)'"', 0xC3, 0x28, (byte)'"'], DocumentLimits.Default).Error?.Message);

    [Fact]
    public void Depth_size_and_values_are_bounded()
    {
        var deep = Parse(new string('[', 129) + new string(']', 129));
        Assert.Equal("the document is nested more than 128 levels deep", deep.Error?.Message);
        Assert.True(Parse(new string('[', 128) + new string(']', 128)).Succeeded);

        // Far deeper than any stack.
        Assert.False(Parse(new string('[', 1_000_000)).Succeeded);

        var limits = new DocumentLimits { MaxBytes = 10, MaxValues = 3 };
        Assert.Equal(
            new DocumentError(true, "Request entity too large: limit is 10"), JsonDocumentParser.Parse("[1,2,3,4,5]"u8, limits).Error);
        Assert.Equal(new DocumentError(true, "the document has more than 3 values"), JsonDocumentParser.Parse("[1,2,3]"u8, limits).Error);
    }

    [Fact]
    public void Whatever_can_be_written_can_be_read() =>
        Documents.Any.Sample(node => JsonNode.DeepEquals(Parse(node?.ToJsonString() ?? "null").Root, node));

    [Fact]
    public void Whatever_the_bytes_it_answers() =>
        Gen.OneOf(Gen.Byte, Gen.Char["{}[]\":,\\u019eE-+.tfn "].Select(character => (byte)character)).Array[0, 40].Sample(
            bytes => JsonDocumentParser.Parse(bytes, DocumentLimits.Default) is var document && (document.Succeeded || document.Error.Message.Length > 0));

    private static ParsedDocument Parse(string text) => JsonDocumentParser.Parse(Encoding.UTF8.GetBytes(text), DocumentLimits.Default);
}
