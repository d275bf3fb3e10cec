using System.Globalization;

namespace Orchestrator.ApiServer.Tables;

/// <summary>Ages with two or three significant figures, as <c>k8s.io/apimachinery/pkg/util/duration.HumanDuration</c> prints them.</summary>
public static class HumanDuration
{
    public static string Print(TimeSpan duration)
    {
        // Clocks of two machines may differ by a little.
        var seconds = (long)duration.TotalSeconds;
        if (seconds < -1)
        {
            return "<invalid>";
        }

        var (minutes, hours) = (seconds / 60, seconds / 3600);
        return seconds switch
        {
            < 0 => "0s",
            < 2 * 60 => Format(seconds, "s"),
            < 10 * 60 => Format(minutes, "m", seconds % 60, "s"),
            < 3 * 3600 => Format(minutes, "m"),
            < 8 * 3600 => Format(hours, "h", minutes % 60, "m"),
            < 48 * 3600 => Format(hours, "h"),
            < 8 * 24 * 3600 => Format(hours / 24, "d", hours % 24, "h"),
            < 2 * 365 * 24 * 3600 => Format(hours / 24, "d"),
            < 8L * 365 * 24 * 3600 => Format(hours / 24 / 365, "y", hours / 24 % 365, "d"),
            _ => Format(hours / 24 / 365, "y"),
        };
    }

    /// <param name="timestamp">RFC 3339; null or empty where there is none.</param>
    public static string Since(string? timestamp, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(timestamp))
        {
            return "<unknown>";
        }

        return DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Print(now - time)
            : "<invalid>";
    }

    private static string Format(long value, string unit) => string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");

    private static string Format(long value, string unit, long rest, string smaller) =>
        rest == 0 ? Format(value, unit) : Format(value, unit) + Format(rest, smaller);
}
