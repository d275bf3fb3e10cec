using Prometheus;

namespace Orchestrator.HostAgent.Engines;

internal static class EngineMetrics
{
    public static readonly Histogram Duration = Metrics.CreateHistogram(
        "orchestrator_engine_request_duration_seconds",
        "How long calls of Docker engines took, by operation; every try counts.",
        new HistogramConfiguration { LabelNames = ["operation"], Buckets = Histogram.ExponentialBuckets(0.0005, 3, 11) });

    /// <summary>Sum and count alone: buckets of each host's own would be most of a scrape.</summary>
    public static readonly Summary HostDuration = Metrics.CreateSummary(
        "orchestrator_engine_host_request_duration_seconds", "How long calls of Docker engines took, by host; every try counts.", "host");

    public static readonly Counter Errors = Metrics.CreateCounter(
        "orchestrator_engine_request_errors_total",
        "Calls of Docker engines that failed, by host and operation; that something is not there is no failure.",
        "host",
        "operation");

    /// <summary>The host is gone: so are its series.</summary>
    public static void Forget(string host)
    {
        HostDuration.RemoveLabelled(host);
        foreach (var labels in Errors.GetAllLabelValues().Where(labels => labels[0] == host).ToList())
        {
            Errors.RemoveLabelled(labels);
        }
    }
}
