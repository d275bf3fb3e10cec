namespace Orchestrator.Api.WebApps;

/// <summary>What all live proxies together see of an app: the sums of what they tell.</summary>
/// <param name="Problem">Of the first proxy that does not tell its rates, for people; null when all do. The sums are less than the whole then.</param>
/// <param name="Proxies">How many proxies' rates are in the sums.</param>
/// <param name="Waiting">Requests that wait for a replica, as far as is known.</param>
/// <param name="Latencies">How many requests within each of <see cref="LatencyBuckets"/>; null: no proxy tells them.</param>
public sealed record AppTraffic(
    string? Problem,
    int Proxies,
    double RequestsPerSecond,
    double InFlight,
    int Waiting,
    IReadOnlyList<long>? Latencies,
    double EndedPerSecond = 0,
    double ErrorsPerSecond = 0)
{
    public const string NoProxy = "no proxy is there to see it";

    public bool IsIdle => RequestsPerSecond <= 0 && InFlight <= 0 && Waiting == 0;

    /// <summary>Requests that have ended with 5xx, of those that have ended, in percent; null when none has ended.</summary>
    public double? ErrorPercent => EndedPerSecond > 0 ? Math.Min(100, ErrorsPerSecond / EndedPerSecond * 100) : null;

    /// <param name="app"><c>namespace/name</c>.</param>
    /// <param name="proxies">All that live.</param>
    public static AppTraffic Sum(string app, IEnumerable<ToldTraffic> proxies)
    {
        var sum = new AppTraffic(null, 0, 0, 0, 0, null);
        string? problem = null;
        var any = false;
        foreach (var told in proxies)
        {
            any = true;
            switch (told.Find(app))
            {
                case null:
                    problem ??= told.Omitted > 0
                        ? $"proxy {told.Proxy} has no room to tell of it among so many apps"
                        : $"proxy {told.Proxy} does not tell of it";
                    break;
                case { RequestsPerSecond: { } requests, InFlight: { } inFlight } seen:
                    sum = new(
                        null,
                        sum.Proxies + 1,
                        sum.RequestsPerSecond + requests,
                        sum.InFlight + inFlight,
                        sum.Waiting + seen.Waiting,
                        seen.Latencies is null ? sum.Latencies : LatencyBuckets.Sum(sum.Latencies ?? [], seen.Latencies),
                        sum.EndedPerSecond + seen.EndedPerSecond,
                        sum.ErrorsPerSecond + seen.ErrorsPerSecond);
                    break;
                case { } seen:
                    problem ??= $"proxy {told.Proxy} has only just begun to count";
                    sum = sum with { Waiting = sum.Waiting + seen.Waiting };
                    break;
            }
        }

        return sum with { Problem = any ? problem : NoProxy };
    }
}
