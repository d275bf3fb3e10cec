using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines;

public sealed class LogTailTests
{
    private static readonly DateTimeOffset End = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-11-29T11:59:58.123456789Z first\n2026-11-29T11:59:59.5Z no database \r\n", "no database")]
    [InlineData("2026-11-29T11:59:59Z no database\n2026-11-29T12:00:00.3Z the next run begins\n", "no database")]
    [InlineData("2026-11-29T11:59:59Z no database\n2026-11-29T11:59:59.1Z \n2026-11-29T11:59:59.2Z\n", "no database")]
    [InlineData("2026-11-29T12:00:00Z at the very end\n", "at the very end")]
    [InlineData("2026-11-29T12:00:01Z only the next run\n", null)]
    [InlineData("without a time\n", null)]
    [InlineData("", null)]
    public void The_last_words_are_those_of_the_run_that_ended(string log, string? words) => Assert.Equal(words, LogTail.LastOf(log, End));

    [Fact]
    public void They_are_one_printable_line_of_bounded_length()
    {
        var words = LogTail.LastOf($"2026-11-29T11:59:59Z \u001b[31m{new string('x', 1000)}\n", End)!;

        Assert.InRange(words.Length, 1, LogTail.MaxLength + 1); // with the mark that says so
        Assert.DoesNotContain('\u001b', words);
    }
}
