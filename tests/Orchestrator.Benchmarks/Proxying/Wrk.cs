using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Benchmarks.Proxying;

/// <summary>Users in a hurry: <c>wrk</c> asks on every connection as soon as the last answer is there.</summary>
internal static partial class Wrk
{
    /// <exception cref="InvalidOperationException">A request failed: then there is nothing to compare.</exception>
    public static async Task<WrkResult> RunAsync(Daemon proxy, Scenario scenario, TimeSpan length, CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            "-t1", $"-c{scenario.Connections}", $"-d{(int)length.TotalSeconds}s", "--latency", "-H", $"Host: {OurProxy.Host}",
            .. scenario.NewConnections ? ["-H", "Connection: close"] : Array.Empty<string>(),
            $"{(scenario.Tls ? $"https://127.0.0.1:{proxy.TlsPort}" : $"http://127.0.0.1:{proxy.Port}")}{scenario.Path}",
        ];
        var run = (await Command.RunAsync(await Dependency.PathOf("wrk"), arguments, cancellationToken: cancellationToken)).OrThrow();
        var counts = CountLine().Match(run.Output);
        return !counts.Success || FailureLine().IsMatch(run.Output)
            ? throw new InvalidOperationException($"requests failed:\n{run.Line}\n{run.Output}{run.Errors}")
            : new WrkResult(
                Number(counts.Groups["requests"]),
                Number(RateLine().Match(run.Output).Groups["rate"]),
                Milliseconds(run.Output, "50%"),
                Milliseconds(run.Output, "99%"));
    }

    private static double Milliseconds(string report, string percentile)
    {
        var line = Regex.Match(report, $@"^\s+{percentile}\s+(?<value>[\d.]+)(?<unit>us|ms|s)$", RegexOptions.Multiline);
        return Number(line.Groups["value"]) * line.Groups["unit"].ValueSpan switch { "us" => 0.001, "ms" => 1, _ => 1000 };
    }

    private static double Number(Group text) => double.Parse(text.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^\s+(?<requests>\d+) requests in ", RegexOptions.Multiline)]
    private static partial Regex CountLine();

    [GeneratedRegex(@"^Requests/sec:\s+(?<rate>[\d.]+)$", RegexOptions.Multiline)]
    private static partial Regex RateLine();

    // Only there when there were any. A read that ended is a server that closed a kept connection: it may, and wrk asks again.
    [GeneratedRegex(@"Non-2xx or 3xx responses|Socket errors: (?!connect 0, read \d+, write \d+, timeout 0)")]
    private static partial Regex FailureLine();
}

/// <param name="Rate">Requests a second.</param>
/// <param name="Median">In ms.</param>
/// <param name="Slow">The 99th percentile, in ms.</param>
internal sealed record WrkResult(double Requests, double Rate, double Median, double Slow);
