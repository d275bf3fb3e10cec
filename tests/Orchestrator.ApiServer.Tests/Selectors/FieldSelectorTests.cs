using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Tests.Selectors;

public sealed class FieldSelectorTests
{
    private static readonly JsonObject Event = JsonNode.Parse(
        """
        {
          "metadata": { "name": "web.1", "namespace": "shop" },
          "involvedObject": { "kind": "WebApp", "name": "a,b=c" },
          "type": "Warning", "count": 3, "seen": true
        }
        """)!.AsObject();

    [Theory]
    [InlineData(null, true)]
    [InlineData("metadata.name=web.1", true)]
    [InlineData("metadata.name==web.1,metadata.namespace=shop", true)]
    [InlineData("metadata.name!=web.1", false)]
    [InlineData("type=Normal", false)]
    [InlineData("type!=Normal", true)]
    [InlineData("reason=", true)]
    [InlineData("reason!=x", true)]
    [InlineData("reason.deep.down=", true)]
    [InlineData("involvedObject.name=a\\,b\\=c", true)]
    [InlineData("count=3,seen=true", true)]
    [InlineData("involvedObject=x", false)]
    [InlineData(",type=Warning,", true)]
    public void It_selects_by_dotted_paths(string? text, bool matches)
    {
        Assert.True(FieldSelector.TryParse(text, out var selector, out var error), error);
        Assert.Equal(matches, selector.Matches(Event));
        Assert.True(FieldSelector.TryParse(selector.ToString(), out var again, out _));
        Assert.Equal(selector.Requirements, again.Requirements);
    }

    [Theory]
    [InlineData("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'")]
    [InlineData("a=b=c", "invalid field selector: unescaped character in value: =")]
    [InlineData("a=b\\c", "invalid field selector: invalid escape sequence: \\c")]
    [InlineData("a=b\\", "invalid field selector: invalid escape sequence: \\")]
    public void What_it_cannot_parse_it_says_in_the_words_of_kubernetes(string text, string message)
    {
        Assert.False(FieldSelector.TryParse(text, out _, out var error));
        Assert.Equal(message, error);
    }

    [Fact]
    public void It_tells_the_exact_value_and_what_is_not_supported()
    {
        Assert.True(FieldSelector.TryParse("metadata.name=x,metadata.namespace!=y,spec.image=z", out var selector, out _));
        Assert.Equal("x", selector.ExactValue("metadata.name"));
        Assert.Null(selector.ExactValue("metadata.namespace"));
        Assert.Equal("field label not supported: spec.image", selector.Unsupported(["metadata.name", "metadata.namespace"]));
        Assert.Null(selector.Unsupported(["metadata.name", "metadata.namespace", "spec.image"]));
    }
}
