using System.Globalization;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class AutoscalingScheduleTests
{
    [Theory]
    [InlineData("2026-11-25T07:59:59+01:00", false)] // A Wednesday.
    [InlineData("2026-11-25T08:00:00+01:00", true)]
    [InlineData("2026-11-25T12:00:00+01:00", true)]
    [InlineData("2026-11-25T17:59:59+01:00", true)]
    [InlineData("2026-11-25T18:00:00+01:00", false)]
    [InlineData("2026-11-28T12:00:00+01:00", false)] // A Saturday.
    [InlineData("2026-07-01T06:30:00Z", true)] // Summer time.
    [InlineData("2026-12-01T06:30:00Z", false)]
    public void Holds_from_its_start_to_its_end(string time, bool holds) => Assert.Equal(
        holds,
        new AutoscalingSchedule { Start = "0 8 * * 1-5", End = "0 18 * * 1-5", TimeZone = "Europe/Berlin" }
            .HoldsAt(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("2026-11-25T23:00:00Z", true)]
    [InlineData("2026-11-26T03:00:00Z", true)]
    [InlineData("2026-11-26T06:00:00Z", false)]
    public void May_last_over_midnight_and_is_in_utc_unless_told(string time, bool holds) => Assert.Equal(
        holds, new AutoscalingSchedule { Start = "0 22 * * *", End = "0 6 * * *" }.HoldsAt(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("0 8 * * 1-5", "0 18 * * 1-5", "Europe/Berlin", null)]
    [InlineData("0 0 29 2 *", "@yearly", null, null)]
    [InlineData("at eight", "0 18 * * *", null, "start must be a cron expression of five fields: minute, hour, day of month, month, day of week")]
    [InlineData("0 0 8 * * *", "0 18 * * *", null, "start must be a cron expression of five fields: minute, hour, day of month, month, day of week")]
    [InlineData("0 8 * * *", "0 0 30 2 *", null, "end names a time that never comes")]
    [InlineData("0 8 * * *", "0 18 * * *", "Europe/Nowhere", "timeZone is not known here: it must be an IANA name, such as Europe/Berlin")]
    public void A_fault_names_its_field_and_keeps_it_from_holding(string start, string end, string? zone, string? fault)
    {
        AutoscalingSchedule schedule = new() { Start = start, End = end, TimeZone = zone };

        Assert.Equal(fault, schedule.Fault is { } found ? $"{found.Field} {found.Problem}" : null);
        Assert.True(fault is null || !schedule.HoldsAt(new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero)));
    }
}
