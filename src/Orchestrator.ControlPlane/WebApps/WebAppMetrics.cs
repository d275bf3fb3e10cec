using Orchestrator.Runtime;
using Prometheus;

namespace Orchestrator.ControlPlane.WebApps;

internal static class WebAppMetrics
{
    private static readonly Gauge Desired = Metrics.CreateGauge(
        "orchestrator_webapp_replicas_desired", "Replicas that the WebApp asks for.", "namespace", "app");

    private static readonly Gauge Current = Metrics.CreateGauge(
        "orchestrator_webapp_replicas_current", "Replicas that exist and are not being deleted.", "namespace", "app");

    private static readonly Gauge Ready = Metrics.CreateGauge(
        "orchestrator_webapp_replicas_ready", "Replicas that take requests.", "namespace", "app");

    public static void Set(ObjectKey app, int desired, int current, int ready)
    {
        Desired.WithLabels(app.Namespace!, app.Name).Set(desired);
        Current.WithLabels(app.Namespace!, app.Name).Set(current);
        Ready.WithLabels(app.Namespace!, app.Name).Set(ready);
    }

    /// <summary>Who no longer leads no longer knows.</summary>
    public static void Clear()
    {
        Desired.RemoveAllLabelled();
        Current.RemoveAllLabelled();
        Ready.RemoveAllLabelled();
    }

    public static void Remove(ObjectKey app)
    {
        Desired.RemoveLabelled(app.Namespace!, app.Name);
        Current.RemoveLabelled(app.Namespace!, app.Name);
        Ready.RemoveLabelled(app.Namespace!, app.Name);
    }
}
