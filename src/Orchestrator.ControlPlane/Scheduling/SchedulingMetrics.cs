using Prometheus;

namespace Orchestrator.ControlPlane.Scheduling;

internal static class SchedulingMetrics
{
    public static readonly Histogram Duration = Metrics.CreateHistogram(
        "orchestrator_scheduling_duration_seconds",
        "From when a replica was first seen without a host until its binding was stored. Those created with one have no part in it.",
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 2, 16) });

    public static readonly Histogram RoundDuration = Metrics.CreateHistogram(
        "orchestrator_scheduling_round_duration_seconds",
        "How long it took to decide for all waiting replicas together.",
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0001, 4, 10) });

    public static readonly Gauge Waiting = Metrics.CreateGauge(
        "orchestrator_scheduling_waiting_replicas", "Replicas without a host.");

    public static readonly Counter Preempted = Metrics.CreateCounter(
        "orchestrator_scheduling_preempted_replicas_total", "Replicas that were stopped to make room for one of a higher priority.");

    private static readonly Counter Attempts = Metrics.CreateCounter(
        "orchestrator_scheduling_attempts_total",
        "Decisions by result: scheduled, unschedulable, conflict (the replica changed meanwhile), error (the API server failed).",
        "result");

    public static readonly Counter.Child Scheduled = Attempts.WithLabels("scheduled");
    public static readonly Counter.Child Unschedulable = Attempts.WithLabels("unschedulable");
    public static readonly Counter.Child Conflict = Attempts.WithLabels("conflict");
    public static readonly Counter.Child Error = Attempts.WithLabels("error");
}
