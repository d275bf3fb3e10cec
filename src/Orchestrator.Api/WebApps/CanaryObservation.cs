using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// What one proxy has seen of a canary since its weight was last set: an entry of <see cref="Annotations.Canaries"/>. Counts only
/// grow, until <see cref="Since"/> is another.
/// </summary>
/// <param name="App"><c>namespace/name</c>.</param>
/// <param name="Revision"><see cref="CanaryProgress.Revision"/>.</param>
/// <param name="Since"><see cref="CanaryProgress.WeightSince"/>.</param>
public sealed record CanaryObservation(
    [property: JsonPropertyName("app")] string App,
    [property: JsonPropertyName("revision")] string Revision,
    [property: JsonPropertyName("since")] DateTime Since,
    [property: JsonPropertyName("stable")] RequestCounts Stable,
    [property: JsonPropertyName("canary")] RequestCounts Canary)
{
    /// <summary>Every part must be there: nobody who reads them has to ask.</summary>
    private static readonly JsonSerializerOptions Complete = new() { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    /// <summary>The annotation's text. Empty when there is nothing to say.</summary>
    public static string Write(IReadOnlyCollection<CanaryObservation> observations) =>
        observations.Count == 0 ? "" : JsonSerializer.Serialize(observations);

    /// <returns>Nothing for a text that is none: another version of a proxy may have written it.</returns>
    public static IReadOnlyList<CanaryObservation> Read(string? text)
    {
        try
        {
            return string.IsNullOrEmpty(text) ? [] : [.. (JsonSerializer.Deserialize<List<CanaryObservation?>>(text, Complete) ?? []).OfType<CanaryObservation>()];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}

/// <summary>Requests of one side of a canary.</summary>
/// <param name="Errors">Of them, those answered with 5xx or not at all. Clients that went away count as neither.</param>
/// <param name="Latencies">Of them, how many within each of <see cref="LatencyBuckets"/>; buckets at the end that are empty may be left out.</param>
public sealed record RequestCounts(
    [property: JsonPropertyName("requests")] long Requests,
    [property: JsonPropertyName("errors")] long Errors,
    [property: JsonPropertyName("latencies")] IReadOnlyList<long> Latencies)
{
    public static RequestCounts None { get; } = new(0, 0, []);

    public RequestCounts Plus(RequestCounts other) =>
        new(Requests + other.Requests, Errors + other.Errors, LatencyBuckets.Sum(Latencies, other.Latencies));
}

/// <summary>
/// Latencies are counted in buckets that grow by a fifth: a percentile is right to that, and those of several proxies add up.
/// </summary>
public static class LatencyBuckets
{
    private const double Growth = 1.2;

    private static readonly double LogOfGrowth = Math.Log(Growth);

    /// <summary>Upper bound of the first bucket.</summary>
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(1);

    /// <summary>The last one has no upper bound; it begins at about 80 s.</summary>
    public const int Count = 64;

    public static int Of(TimeSpan latency) =>
        latency <= First ? 0 : Math.Min(Count - 1, (int)Math.Ceiling(Math.Log(latency / First) / LogOfGrowth));

    public static IReadOnlyList<long> Sum(IReadOnlyList<long> one, IReadOnlyList<long> other)
    {
        var (longer, shorter) = one.Count >= other.Count ? (one, other) : (other, one);
        return [.. longer.Select((count, bucket) => count + (bucket < shorter.Count ? shorter[bucket] : 0))];
    }

    /// <returns>Null when nothing was counted.</returns>
    /// <param name="percent">Above 0, to 100.</param>
    public static TimeSpan? Percentile(IReadOnlyList<long> latencies, double percent)
    {
        var left = (long)Math.Ceiling(latencies.Sum() * percent / 100);
        for (var bucket = 0; bucket < latencies.Count; bucket++)
        {
            left -= latencies[bucket];
            if (left <= 0 && latencies[bucket] > 0)
            {
                return First * Math.Pow(Growth, bucket);
            }
        }

        return null;
    }
}
