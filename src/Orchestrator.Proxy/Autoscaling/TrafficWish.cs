using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Autoscaling;

/// <summary>What an app's autoscaling wants of the proxies.</summary>
/// <param name="Latencies">To know how long requests take, even where there is hardly room to tell.</param>
/// <param name="Holds">To hold requests while there is no replica.</param>
internal sealed record TrafficWish(bool Latencies, bool Holds)
{
    /// <returns>Null when it wants nothing.</returns>
    public static TrafficWish? Of(WebApp app) => app.Spec.Autoscaling is { NeedsTraffic: true } autoscaling
        ? new(autoscaling.Metrics.Any(metric => metric.Type == MetricTypes.LatencyP95), autoscaling.ScalesToZero)
        : null;
}
