using Prometheus;

namespace Orchestrator.HostAgent.Images;

internal static class ImageMetrics
{
    public static readonly Counter Removed = Metrics.CreateCounter(
        "orchestrator_images_removed_total",
        "Unused images that were removed, by host and reason: age, disk, size.",
        "host",
        "reason");

    /// <summary>The host is gone: so are its series.</summary>
    public static void ForgetHost(string host)
    {
        foreach (var labels in Removed.GetAllLabelValues().Where(labels => labels[0] == host).ToList())
        {
            Removed.RemoveLabelled(labels);
        }
    }
}
