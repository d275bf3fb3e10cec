using Prometheus;

namespace Orchestrator.Runtime.Informers;

internal static class InformerMetrics
{
    public static readonly Counter Failures = Metrics.CreateCounter(
        "orchestrator_informer_failures_total", "Lists and watches of a kind that failed or broke off.", "kind");
}
