using Prometheus;

namespace Orchestrator.Runtime.Events;

internal static class EventMetrics
{
    public static readonly Counter Recorded = Metrics.CreateCounter(
        "orchestrator_events_recorded_total", "Events that parts asked to record, repeated ones included.");

    public static readonly Counter Written = Metrics.CreateCounter(
        "orchestrator_events_written_total", "Events created or counted up at the API server.");

    public static readonly Counter Dropped = Metrics.CreateCounter(
        "orchestrator_events_dropped_total", "Events given up, by cause: the queue was full, the API server refused or was away.", "cause");

    public static readonly Counter.Child DroppedFull = Dropped.WithLabels("full");
    public static readonly Counter.Child DroppedRefused = Dropped.WithLabels("refused");
    public static readonly Counter.Child DroppedUnreachable = Dropped.WithLabels("unreachable");
}
