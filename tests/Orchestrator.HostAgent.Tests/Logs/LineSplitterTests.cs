using System.Text;
using Orchestrator.HostAgent.Logs;

namespace Orchestrator.HostAgent.Tests.Logs;

public sealed class LineSplitterTests
{
    [Fact]
    public void Lines_are_put_together_from_pieces_and_their_times_read()
    {
        var splitter = new LineSplitter(isError: false);
        var lines = new[] { "2026-01-02T03:04:05.123456789Z he", "llo\n2026-01-02T03:04:06Z \nno time\r\n", "2026-01-02T03:04:07.5Z rest" }
            .SelectMany(piece => splitter.Add(Encoding.UTF8.GetBytes(piece)).ToList())
            .ToList();

        Assert.Equal(["hello", "", "no time"], lines.Select(line => line.Text));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 123, 456, TimeSpan.Zero).AddTicks(7), lines[0].Time);
        Assert.Null(lines[2].Time);
        Assert.Equal("rest", splitter.Rest()?.Text);
        Assert.Null(splitter.Rest());
    }

    [Fact]
    public void A_line_without_an_end_is_given_out_in_parts()
    {
        var splitter = new LineSplitter(isError: true);

        var line = Assert.Single(splitter.Add(new byte[LineSplitter.MaxLine + 1]));

        Assert.True(line.IsError);
        Assert.Equal(LineSplitter.MaxLine + 1, line.Text.Length);
    }
}
