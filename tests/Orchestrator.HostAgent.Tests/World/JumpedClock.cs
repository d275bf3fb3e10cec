using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>
/// Makes of what an engine says what it would say had its clock been set at some moment: times that it took before are as they were, later
/// ones (starts, ends, events, its own time) are wrong by as much. Each keeps its length, so that nothing else need be changed.
/// </summary>
internal sealed partial class JumpedClock(DateTimeOffset at, TimeSpan by)
{
    private const string Rfc3339 = "yyyy-MM-ddTHH:mm:ss";
    private const string Rfc1123 = "ddd, dd MMM yyyy HH:mm:ss";

    /// <summary>A time that lies in two pieces of what is said stays as it is: answers begin with those that matter.</summary>
    public void Rewrite(Span<byte> said)
    {
        foreach (Match match in Times().Matches(Encoding.Latin1.GetString(said)))
        {
            var (group, read, write) = Forms.First(form => match.Groups[form.Group].Success);
            var written = match.Groups[group];
            if (read(match.Value) is var time && time >= at)
            {
                Encoding.Latin1.GetBytes(write(time + by), said.Slice(written.Index, written.Length));
            }
        }
    }

    private static readonly (string Group, Func<string, DateTimeOffset> Read, Func<DateTimeOffset, string> Write)[] Forms =
    [
        ("rfc3339", Parse, static time => time.ToString(Rfc3339, CultureInfo.InvariantCulture)),
        ("rfc1123", Parse, static time => time.ToString(Rfc1123, CultureInfo.InvariantCulture)),
        ("seconds", static text => DateTimeOffset.FromUnixTimeSeconds(Number(text)), static time => Text(time.ToUnixTimeSeconds())),
        ("nanoseconds", static text => DateTimeOffset.UnixEpoch.AddTicks(Number(text) / 100), static time => Text((time - DateTimeOffset.UnixEpoch).Ticks * 100)),
    ];

    private static DateTimeOffset Parse(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex("""
        (?<rfc3339>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?|(?<=\r\nDate:\ )(?<rfc1123>\w{3},\ \d\d\ \w{3}\ \d{4}\ \d\d:\d\d:\d\d)|(?<="time":)(?<seconds>\d{10})|(?<="timeNano":)(?<nanoseconds>\d{19})
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Times();
}
