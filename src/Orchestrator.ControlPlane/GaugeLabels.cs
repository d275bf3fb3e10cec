using Prometheus;

namespace Orchestrator.ControlPlane;

internal static class GaugeLabels
{
    /// <summary>Takes every labelled series of a gauge out of what is exported.</summary>
    public static void RemoveAllLabelled(this Gauge gauge)
    {
        foreach (var labels in gauge.GetAllLabelValues())
        {
            gauge.RemoveLabelled(labels);
        }
    }
}
