using Prometheus;

namespace Orchestrator.HostAgent.Probing;

internal static class ProbeMetrics
{
    public static readonly Counter Faults = Metrics.CreateCounter(
        "orchestrator_probe_faults_total", "Looks of probes that broke off with an error of our own; the probe goes on.");
}
