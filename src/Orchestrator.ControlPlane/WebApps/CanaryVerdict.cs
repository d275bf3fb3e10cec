using System.Globalization;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>What all proxies have seen of a canary in its step.</summary>
internal sealed record CanaryCounts(RequestCounts Stable, RequestCounts Canary)
{
    public static CanaryCounts None { get; } = new(RequestCounts.None, RequestCounts.None);
}

/// <summary>Whether a canary does worse than the stable revision. Pure.</summary>
/// <param name="Text">For people; null when nothing was seen.</param>
internal sealed record CanaryVerdict(string? Text, RolloutFailure? Failure)
{
    public const string TooManyErrors = "CanaryErrors";
    public const string TooSlow = "CanaryLatency";

    private const int Percentile = 95;

    /// <summary>Of little things twice as much is still little, and as much as a busy machine makes by chance.</summary>
    private static readonly TimeSpan Negligible = TimeSpan.FromMilliseconds(10);

    /// <param name="rules">Null: nothing is judged.</param>
    public static CanaryVerdict Of(CanaryAnalysis? rules, CanaryCounts counts)
    {
        var (stable, canary) = (counts.Stable, counts.Canary);
        if (canary.Requests == 0)
        {
            return new(null, null);
        }

        var text = $"new: {Describe(canary)}; stable: {Describe(stable)}";
        if (rules is null || canary.Requests < (rules.MinRequests ?? CanaryAnalysis.DefaultMinRequests))
        {
            return new(text, null);
        }

        var allowed = ErrorPercent(stable) + (rules.MaxErrorPercent ?? CanaryAnalysis.DefaultMaxErrorPercent);
        if (ErrorPercent(canary) > allowed)
        {
            return new(text, new(TooManyErrors, $"more than {Number(allowed)} % of its requests failed; {text}"));
        }

        return new(text, IsTooSlow(rules, canary, stable) is { } limit ? new(TooSlow, $"95 % of its requests took longer than {Time(limit)}; {text}") : null);
    }

    /// <returns>The limit that it is over; null when it is not.</returns>
    private static TimeSpan? IsTooSlow(CanaryAnalysis rules, RequestCounts canary, RequestCounts stable)
    {
        if (LatencyBuckets.Percentile(canary.Latencies, Percentile) is not { } latency
            || LatencyBuckets.Percentile(stable.Latencies, Percentile) is not { } usual)
        {
            return null;
        }

        var limit = usual * (rules.MaxLatencyPercent ?? CanaryAnalysis.DefaultMaxLatencyPercent) / 100;
        return latency > limit && latency - usual > Negligible ? limit : null;
    }

    private static double ErrorPercent(RequestCounts counts) => counts.Requests == 0 ? 0 : 100.0 * counts.Errors / counts.Requests;

    private static string Describe(RequestCounts counts) => counts.Requests == 0 ? "no requests"
        : $"{counts.Requests} requests, {Number(ErrorPercent(counts))} % failed"
            + (LatencyBuckets.Percentile(counts.Latencies, Percentile) is { } latency ? $", 95 % within {Time(latency)}" : "");

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Time(TimeSpan time) => time < TimeSpan.FromSeconds(1)
        ? $"{Number(time.TotalMilliseconds)} ms"
        : $"{time.TotalSeconds.ToString("0.##", CultureInfo.InvariantCulture)} s";
}
