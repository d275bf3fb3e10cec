using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class HeaderPatternTests
{
    [Theory]
    [InlineData("v[0-9]+", "v12", true)]
    [InlineData("v[0-9]+", "xv12", false)]
    [InlineData("v[0-9]+", "v12\n", false)]
    [InlineData("a|b", "b", true)]
    [InlineData("a|b", "ab", false)]
    [InlineData("(?i)mobile", "Mobile", true)]
    [InlineData("[]a]+", "]a]", true)]
    [InlineData("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "123e4567-e89b-12d3-a456-426614174000", true)]
    [InlineData(".*Firefox/[0-9]{2,3}.*", "Mozilla/5.0 Gecko/20100101 Firefox/143.0", true)]
    public void The_whole_value_must_fit(string text, string value, bool fits)
    {
        Assert.True(HeaderPattern.TryParse(text, out var pattern, out _));

        Assert.Equal(fits, pattern.Fits(value));
    }

    [Theory]
    [InlineData("(", "is no regular expression: ")]
    [InlineData("a)(b", "is no regular expression: ")]
    [InlineData("[z-a]", "is no regular expression: ")]
    [InlineData("(?=a)b", "must do without lookarounds")]
    [InlineData(@"(a)\1", "")]
    [InlineData("((a{100}){100}){100}", "repeats too much")]
    [InlineData("(a{1,99999999999})", "repeats too much")]
    [InlineData("(((a|b){50}c){50}", "repeats too much")]
    public void What_is_no_pattern_or_may_take_for_ever_is_refused_with_the_reason(string text, string problem)
    {
        Assert.False(HeaderPattern.TryParse(text, out _, out var said));

        Assert.StartsWith(problem, said, StringComparison.Ordinal);
        Assert.False(HeaderPattern.TryParse(new string('a', HeaderPattern.MaxLength + 1), out _, out _));
    }

    [Fact]
    public void An_expression_that_makes_others_run_for_ever_takes_as_long_as_the_value_is()
    {
        Assert.True(HeaderPattern.TryParse("(a+)+(a|aa)*b", out var pattern, out _));

        Assert.False(pattern.Fits(new string('a', HeaderPattern.MaxValueLength)));
        Assert.False(pattern.Fits(new string('a', HeaderPattern.MaxValueLength) + "b"));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData("(ab){3}", 6)]
    [InlineData("(a{2}b){3}c", 10)]
    [InlineData("[a-z]{4}", 4)]
    [InlineData(@"\d{2,5}", 5)]
    [InlineData("[a-z-[aeiou]]{2}", 2)]
    [InlineData("a{x}", 4)]
    [InlineData("((a", 1)]
    [InlineData("a)b", 3)]
    public void The_size_of_an_expression_has_its_repeats_written_out(string pattern, long size) => Assert.Equal(size, PatternSize.Of(pattern));
}
