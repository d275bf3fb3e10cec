using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Selectors;

namespace Orchestrator.ApiServer.Tests.Selectors;

public sealed class LabelSelectorTests
{
    private static readonly JsonObject Labels = new() { ["app"] = "web", ["tier"] = "front", ["weight"] = "10", ["empty"] = "", ["in"] = "notin" };

    [Theory]
    [InlineData(null, true)]
    [InlineData("  ", true)]
    [InlineData("app", true)]
    [InlineData("!app", false)]
    [InlineData("!other", true)]
    [InlineData("app=web", true)]
    [InlineData("app == web", true)]
    [InlineData("app=web,tier=front", true)]
    [InlineData("app=web,tier=back", false)]
    [InlineData("app!=web", false)]
    [InlineData("app != db", true)]
    [InlineData("other!=web", true)]
    [InlineData("app in (web, db)", true)]
    [InlineData("app in (db)", false)]
    [InlineData("app notin (db,cache)", true)]
    [InlineData("app notin (db,web)", false)]
    [InlineData("other notin (db)", true)]
    [InlineData("other in (db)", false)]
    [InlineData("empty=", true)]
    [InlineData("empty in ()", true)]
    [InlineData("app in (,web)", true)]
    [InlineData("app in (web,)", true)]
    [InlineData("in in (notin)", true)]
    [InlineData("in=notin", true)]
    [InlineData("weight>9,weight<11", true)]
    [InlineData("weight>10", false)]
    [InlineData("app>1", false)]
    [InlineData("example.com/app!=x", true)]
    public void It_selects_what_kubernetes_selects(string? text, bool matches)
    {
        Assert.True(LabelSelector.TryParse(text, out var selector, out var error), error);
        Assert.Equal(matches, selector.Matches(Labels));
    }

    [Theory]
    [InlineData("app=", "app=")]
    [InlineData("b,a", "a,b")]
    [InlineData("x in (b, a,b)", "x in (a,b)")]
    [InlineData(" ! a ", "!a")]
    public void It_prints_in_a_stable_form(string text, string printed)
    {
        Assert.True(LabelSelector.TryParse(text, out var selector, out _));
        Assert.Equal(printed, selector.ToString());
    }

    [Theory]
    [InlineData("app=web,", "found '', expected: identifier after ','")]
    [InlineData(",app", "found ',', expected: !, identifier, or 'end of string'")]
    [InlineData("app web", "unable to parse requirement: found 'web', expected: =, !=, ==, in, notin, >, <")]
    [InlineData("app=web db", "found 'db', expected: ',' or 'end of string'")]
    [InlineData("app in web", "unable to parse requirement: found 'web' expected: '('")]
    [InlineData("app in (web", "unable to parse requirement: found '', expected: ',' or ')'")]
    [InlineData("app in (", "unable to parse requirement: found '', expected: ',', ')' or identifier")]
    [InlineData("app=(web)", "unable to parse requirement: found '(', expected: identifier")]
    [InlineData("!", "unable to parse requirement: found '', expected: identifier")]
    [InlineData("!a=b", "found '=', expected: ',' or 'end of string'")]
    [InlineData("a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer")]
    public void What_it_cannot_parse_it_says_in_the_words_of_kubernetes(string text, string message)
    {
        Assert.False(LabelSelector.TryParse(text, out _, out var error));
        Assert.Equal(message, error);
    }

    [Theory]
    [InlineData("-app=web", "name part must consist of")]
    [InlineData("a/b/c", "a valid label key must consist of")]
    [InlineData("/b", "prefix part must be non-empty")]
    [InlineData("Example/b", "prefix part a lowercase RFC 1123 subdomain must")]
    [InlineData("app=-web", "a valid label must be an empty string or consist of")]
    [InlineData("app=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "must be no more than 63 bytes")]
    public void Keys_and_values_must_be_labels(string text, string part)
    {
        Assert.False(LabelSelector.TryParse(text, out _, out var error));
        Assert.StartsWith("unable to parse requirement: ", error, StringComparison.Ordinal);
        Assert.Contains(part, error, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_makes_it_throw() =>
        CsCheck.Check.Sample(
            CsCheck.Gen.String[CsCheck.Gen.Char["ab=!,()<> in/.-"], 0, 30],
            text => LabelSelector.TryParse(text, out var selector, out var error)
                ? LabelSelector.TryParse(selector.ToString(), out var again, out _) && again.ToString() == selector.ToString()
                : error.Length > 0);
}
