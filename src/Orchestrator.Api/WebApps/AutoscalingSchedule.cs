using System.Text.Json.Serialization;
using Cronos;

namespace Orchestrator.Api.WebApps;

/// <summary>A floor below the number of replicas, from each time that <see cref="Start"/> names until the next that <see cref="End"/> does.</summary>
public sealed class AutoscalingSchedule
{
    /// <summary>An IANA name.</summary>
    public const string DefaultTimeZone = "Etc/UTC";

    /// <summary>Any would do: every year that a cron expression can name comes within 28 of it.</summary>
    private static readonly DateTimeOffset SomeTime = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Minute, hour, day of month, month and day of week, as a CronJob has them.</summary>
    [JsonPropertyName("start")]
    public string Start { get; set; } = "";

    /// <inheritdoc cref="Start"/>
    [JsonPropertyName("end")]
    public string End { get; set; } = "";

    [JsonPropertyName("timeZone")]
    public string? TimeZone { get; set; }

    [JsonPropertyName("minReplicas")]
    public int MinReplicas { get; set; }

    /// <summary>What is wrong with it: the field, and why for people; null when nothing is.</summary>
    public (string Field, string Problem)? Fault =>
        FaultOf(Start) is { } start ? ("start", start)
        : FaultOf(End) is { } end ? ("end", end)
        : Zone is null ? ("timeZone", "is not known here: it must be an IANA name, such as Europe/Berlin")
        : null;

    private TimeZoneInfo? Zone => TimeZoneInfo.TryFindSystemTimeZoneById(TimeZone ?? DefaultTimeZone, out var zone) ? zone : null;

    /// <summary>Whether it holds at a time. One with a fault never does.</summary>
    public bool HoldsAt(DateTimeOffset time)
    {
        if (Fault is not null)
        {
            return false;
        }

        // In between, the end comes before the next start.
        var zone = Zone!;
        return CronExpression.Parse(End).GetNextOccurrence(time, zone) < CronExpression.Parse(Start).GetNextOccurrence(time, zone);
    }

    private static string? FaultOf(string expression) =>
        !CronExpression.TryParse(expression, out var cron) ? "must be a cron expression of five fields: minute, hour, day of month, month, day of week"
        : cron.GetNextOccurrence(SomeTime, TimeZoneInfo.Utc) is null ? "names a time that never comes"
        : null;
}
