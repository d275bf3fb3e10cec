using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Tests.Output;

public sealed class DurationsTests
{
    // From apimachinery's table for HumanDuration.
    [Theory]
    [InlineData(1, "1s")]
    [InlineData(70, "70s")]
    [InlineData(190, "3m10s")]
    [InlineData(600, "10m")]
    [InlineData(47 * 60, "47m")]
    [InlineData(182 * 60, "3h2m")]
    [InlineData(8 * 3600, "8h")]
    [InlineData(35 * 3600, "35h")]
    [InlineData(50 * 3600, "2d2h")]
    [InlineData(8 * 86400, "8d")]
    [InlineData(-5, "0s")]
    public void Ages_are_written_as_Kubernetes_writes_them(int seconds, string text) =>
        Assert.Equal(text, Durations.Age(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("5m", 300)]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5s", 1.5)]
    [InlineData("250ms", 0.25)]
    [InlineData("2d", 172800)]
    [InlineData("30", 30)]
    public void Durations_are_read_as_Go_reads_them(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Durations.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("5 m")]
    [InlineData("-5s")]
    [InlineData("5x")]
    [InlineData("99999999999d")]
    public void What_is_no_duration_is_none(string text) => Assert.Null(Durations.Parse(text));
}
