using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Cli.Usage;

/// <summary>What the proxies see of an app's requests, as it is shown.</summary>
internal sealed record RequestTraffic(AppTraffic Seen)
{
    /// <summary>What is shown of latencies, in percent.</summary>
    public static readonly IReadOnlyList<int> Percentiles = [50, 95, 99];

    private const string Unknown = "-";

    /// <summary>Null when nothing has ended, or no proxy tells.</summary>
    public TimeSpan? Percentile(int percent) => LatencyBuckets.Percentile(Seen.Latencies ?? [], percent);

    /// <summary>The column's text; of null too, as those below.</summary>
    public static string PerSecond(RequestTraffic? traffic) =>
        traffic is null ? Unknown : Number(traffic.Seen.RequestsPerSecond, traffic.Seen.RequestsPerSecond < 10 ? "0.##" : "0");

    public static string InFlight(RequestTraffic? traffic) =>
        traffic is null ? Unknown : Number(traffic.Seen.InFlight, traffic.Seen.InFlight < 10 ? "0.##" : "0");

    public static string Errors(RequestTraffic? traffic) =>
        traffic?.Seen.ErrorPercent is { } percent ? $"{Number(percent, percent < 10 ? "0.##" : "0")}%" : Unknown;

    public static string Latency(RequestTraffic? traffic, int percent) =>
        traffic?.Percentile(percent) is { } latency ? $"{Number(latency.TotalMilliseconds, latency < TimeSpan.FromMilliseconds(10) ? "0.#" : "0")}ms" : Unknown;

    /// <summary>With what is not known left out.</summary>
    public JsonObject ToJson()
    {
        var traffic = new JsonObject
        {
            ["proxies"] = Seen.Proxies,
            ["requestsPerSecond"] = Math.Round(Seen.RequestsPerSecond, 3),
            ["inFlight"] = Math.Round(Seen.InFlight, 3),
        };
        if (Seen.ErrorPercent is { } errors)
        {
            traffic["errorPercent"] = Math.Round(errors, 3);
        }

        var latencies = new JsonObject();
        foreach (var percent in Percentiles)
        {
            if (Percentile(percent) is { } latency)
            {
                latencies[$"p{percent}"] = Math.Round(latency.TotalMilliseconds, 3);
            }
        }

        if (latencies.Count > 0)
        {
            traffic["latencyMilliseconds"] = latencies;
        }

        return traffic;
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
