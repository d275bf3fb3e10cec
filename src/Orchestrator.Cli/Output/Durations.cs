using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Cli.Output;

/// <summary>Spans of time as Kubernetes writes them: <c>90s</c>, <c>5m</c>, <c>3d</c>, <c>1h30m</c>.</summary>
internal static partial class Durations
{
    /// <summary>apimachinery's HumanDuration: two units while the first is small, so that three significant figures stay.</summary>
    public static string Age(TimeSpan span)
    {
        var seconds = (long)span.TotalSeconds;
        return seconds switch
        {
            < 0 => "0s",
            < 120 => $"{seconds}s",
            < 600 => Two(seconds / 60, "m", seconds % 60, "s"),
            < 10800 => $"{seconds / 60}m",
            < 28800 => Two(seconds / 3600, "h", seconds / 60 % 60, "m"),
            < 172800 => $"{seconds / 3600}h",
            < 691200 => Two(seconds / 86400, "d", seconds / 3600 % 24, "h"),
            < 63072000 => $"{seconds / 86400}d",
            _ => Two(seconds / 31536000, "y", seconds / 86400 % 365, "d"),
        };
    }

    /// <summary>The age of what a timestamp of the API says.</summary>
    public static string Since(string? timestamp, TimeProvider time) =>
        DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? Age(time.GetUtcNow() - at)
            : "<unknown>";

    /// <summary>Go's duration syntax, of which a bare number of seconds is an abbreviation.</summary>
    /// <returns>Null when it is none.</returns>
    public static TimeSpan? Parse(string text)
    {
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var bare))
        {
            return bare < 1e9 ? TimeSpan.FromSeconds(bare) : null;
        }

        var match = Syntax().Match(text);
        if (text.Length == 0 || !match.Success)
        {
            return null;
        }

        var total = 0.0;
        foreach (Capture part in match.Groups["part"].Captures)
        {
            var digits = part.Value.AsSpan().TrimEnd("mhsd");
            total += double.Parse(digits, CultureInfo.InvariantCulture) * part.Value[digits.Length..] switch
            {
                "ms" => 0.001,
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => 86400,
            };
        }

        return total < 1e9 ? TimeSpan.FromSeconds(total) : null;
    }

    private static string Two(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? $"{large}{largeUnit}" : $"{large}{largeUnit}{small}{smallUnit}";

    [GeneratedRegex(@"^(?<part>[0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$", RegexOptions.ExplicitCapture)]
    private static partial Regex Syntax();
}
