using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>Writes that the API server has answered, as its metrics count them, by verb and kind.</summary>
internal sealed partial class ApiWrites
{
    private readonly IReadOnlyDictionary<(string Verb, string Resource, bool Done), double> _counts;

    private ApiWrites(IReadOnlyDictionary<(string, string, bool), double> counts) => _counts = counts;

    /// <summary>All that were carried out.</summary>
    public double Done => _counts.Where(count => count.Key.Done).Sum(count => count.Value);

    public static ApiWrites Parse(string metrics) => new(Sample().Matches(metrics)
        .GroupBy(sample => (sample.Groups["verb"].Value, sample.Groups["resource"].Value, sample.Groups["code"].Value.StartsWith('2')))
        .ToDictionary(samples => samples.Key, samples => samples.Sum(sample => double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture))));

    public ApiWrites Since(ApiWrites earlier) =>
        new(_counts.ToDictionary(count => count.Key, count => count.Value - earlier._counts.GetValueOrDefault(count.Key)));

    /// <summary>One line a verb and kind, most first.</summary>
    public async Task WriteAsync(TextWriter output, string heading, int starts)
    {
        await output.WriteLineAsync($"{heading,-44} {"a start",8} {"in all",8} {"refused",8}");
        foreach (var kind in _counts.GroupBy(count => (count.Key.Verb, count.Key.Resource)).OrderByDescending(kind => kind.Sum(count => count.Value)))
        {
            var done = kind.Where(count => count.Key.Done).Sum(count => count.Value);
            var refused = kind.Sum(count => count.Value) - done;
            if (done + refused > 0)
            {
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"{$"{kind.Key.Verb} {kind.Key.Resource}",-44} {done / starts,8:F2} {done,8:F0} {refused,8:F0}"));
            }
        }
    }

    [GeneratedRegex("""^orchestrator_apiserver_requests_total\{verb="(?<verb>create|update|patch)",resource="(?<resource>[^"]*)",code="(?<code>\d+)"\} (?<value>\S+)$""", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();
}
