using System.Globalization;
using Orchestrator.ApiServer.Tables;

namespace Orchestrator.ApiServer.Tests.Tables;

public sealed class HumanDurationTests
{
    [Theory]
    [InlineData("-00:00:02", "<invalid>")]
    [InlineData("-00:00:01.5", "0s")]
    [InlineData("00:00:00", "0s")]
    [InlineData("00:01:59.9", "119s")]
    [InlineData("00:02:00", "2m")]
    [InlineData("00:05:07", "5m7s")]
    [InlineData("00:10:59", "10m")]
    [InlineData("02:59:59", "179m")]
    [InlineData("03:00:00", "3h")]
    [InlineData("03:05:00", "3h5m")]
    [InlineData("07:30:00", "7h30m")]
    [InlineData("08:30:00", "8h")]
    [InlineData("1.23:00:00", "47h")]
    [InlineData("2.00:00:00", "2d")]
    [InlineData("3.04:30:00", "3d4h")]
    [InlineData("8.05:00:00", "8d")]
    [InlineData("729.00:00:00", "729d")]
    [InlineData("730.00:00:00", "2y")]
    [InlineData("1000.00:00:00", "2y270d")]
    [InlineData("4000.00:00:00", "10y")]
    public void Ages_are_printed_as_kubectl_prints_them(string duration, string printed) =>
        Assert.Equal(printed, HumanDuration.Print(TimeSpan.Parse(duration, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData(null, "<unknown>")]
    [InlineData("", "<unknown>")]
    [InlineData("yesterday", "<invalid>")]
    [InlineData("2026-01-01T00:00:00Z", "5m")]
    [InlineData("2026-01-01T01:00:00.000000+01:00", "5m")]
    public void The_age_of_a_timestamp_is_the_time_since(string? timestamp, string printed) =>
        Assert.Equal(printed, HumanDuration.Since(timestamp, DateTimeOffset.Parse("2026-01-01T00:05:00Z", CultureInfo.InvariantCulture)));
}
