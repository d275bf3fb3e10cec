using Prometheus;

namespace Orchestrator.HostAgent.Engines;

internal static class EngineMetrics
{
    public static readonly Histogram Duration = Metrics.CreateHistogram(
        "orchestrator_engine_request_duration_seconds",
        "How long calls of Docker engines took, by host and operation; every try counts.",
        new HistogramConfiguration { LabelNames = ["host", "operation"], Buckets = Histogram.ExponentialBuckets(0.0005, 3, 11) });

    public static readonly Counter Errors = Metrics.CreateCounter(
        "orchestrator_engine_request_errors_total",
        "Calls of Docker engines that failed, by host and operation; that something is not there is no failure.",
        "host",
        "operation");

    /// <summary>The host is gone: so are its series.</summary>
    public static void Forget(string host)
    {
        foreach (var labels in Duration.GetAllLabelValues().Where(labels => labels[0] == host).ToList())
        {
            Duration.RemoveLabelled(labels);
        }

        foreach (var labels in Errors.GetAllLabelValues().Where(labels => labels[0] == host).ToList())
        {
            Errors.RemoveLabelled(labels);
        }
    }
}
