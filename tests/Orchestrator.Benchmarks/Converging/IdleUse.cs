using System.Globalization;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>What <c>orc serve</c> uses while nothing happens.</summary>
internal static class IdleUse
{
    /// <returns>Percent of one core over the time watched, and resident MB at its end.</returns>
    public static async Task<(double Cpu, double Megabytes)> OfAsync(Installation installation, TimeSpan watched)
    {
        using var http = new HttpClient();
        var before = await ReadAsync("process_cpu_seconds_total");
        await Task.Delay(watched, TimeProvider.System);
        var after = await ReadAsync("process_cpu_seconds_total");
        return ((after - before) / watched.TotalSeconds * 100, await ReadAsync("process_working_set_bytes") / 1_000_000);

        async Task<double> ReadAsync(string metric)
        {
            var line = (await http.GetStringAsync(installation.Metrics)).Split('\n').Single(line => line.StartsWith(metric + " ", StringComparison.Ordinal));
            return double.Parse(line[(metric.Length + 1)..], CultureInfo.InvariantCulture);
        }
    }
}
