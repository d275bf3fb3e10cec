using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Benchmarks.RollingOut;

/// <summary>Users while versions change: <c>hey</c> asks at a steady rate, through kept connections, until it is told to stop.</summary>
internal sealed partial class Load : IDisposable
{
    private const int Connections = 20;

    private readonly Process _hey;
    private readonly Task<string> _output;

    private Load(Process hey) => (_hey, _output) = (hey, hey.StandardOutput.ReadToEndAsync());

    /// <param name="perSecond">Requests, over <see cref="Connections"/> connections.</param>
    public static async Task<Load> StartAsync(Uri target, string host, int perSecond, TimeSpan atMost)
    {
        var arguments = new[]
        {
            "-z", $"{(int)atMost.TotalSeconds}s", "-c", $"{Connections}", "-q", (perSecond / Connections).ToString(CultureInfo.InvariantCulture),
            "-t", "10", "-host", host, target.AbsoluteUri,
        };
        return new Load(Process.Start(new ProcessStartInfo(await Dependency.PathOf("hey"), arguments) { RedirectStandardOutput = true })!);
    }

    /// <summary>Lets the requests in flight end and counts.</summary>
    public async Task<LoadResult> StopAsync()
    {
        await Command.RunAsync("kill", ["-INT", $"{_hey.Id}"]);
        var report = await _output.WaitAsync(TimeSpan.FromSeconds(30));
        var (statuses, errors) = (0, 0);
        var good = 0;
        foreach (Match line in CountLine().Matches(report))
        {
            var count = int.Parse(line.Groups["count"].ValueSpan, CultureInfo.InvariantCulture);
            if (line.Groups["status"].Success)
            {
                statuses += count;
                good += line.Groups["status"].ValueSpan is "200" ? count : 0;
            }
            else
            {
                errors += count;
            }
        }

        return statuses == 0
            ? throw new InvalidOperationException($"the load got no answer at all:\n{report}")
            : new LoadResult(
                statuses + errors,
                statuses + errors - good,
                double.Parse(SlowestLine().Match(report).Groups["seconds"].ValueSpan, CultureInfo.InvariantCulture) * 1000);
    }

    public void Dispose()
    {
        if (!_hey.HasExited)
        {
            _hey.Kill();
        }

        _hey.Dispose();
    }

    // "  [200]  4211 responses" for each status, "  [3]  Get http://…: EOF" for each error.
    [GeneratedRegex(@"^\s+\[(?:(?<status>\d{3})\]\s+(?<count>\d+) responses|(?<count>\d+)\]\s+\S.*)$", RegexOptions.Multiline)]
    private static partial Regex CountLine();

    [GeneratedRegex(@"^\s+Slowest:\s+(?<seconds>[\d.]+) secs$", RegexOptions.Multiline)]
    private static partial Regex SlowestLine();
}

/// <param name="Failed">Answered otherwise than by 200, or not at all.</param>
/// <param name="Slowest">In ms, of those that were answered.</param>
internal sealed record LoadResult(int Requests, int Failed, double Slowest);
