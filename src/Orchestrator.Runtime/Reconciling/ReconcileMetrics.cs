using Prometheus;

namespace Orchestrator.Runtime.Reconciling;

/// <summary>controller-runtime's metrics, by their names. Loops of one name, such as those of all hosts, are counted together.</summary>
internal sealed class ReconcileMetrics
{
    private static readonly Counter Totals = Metrics.CreateCounter(
        "controller_runtime_reconcile_total", "Reconciles by controller and result.", "controller", "result");

    private static readonly Counter ErrorTotals = Metrics.CreateCounter(
        "controller_runtime_reconcile_errors_total", "Reconciles that failed, by controller.", "controller");

    private static readonly Histogram Durations = Metrics.CreateHistogram(
        "controller_runtime_reconcile_time_seconds",
        "How long a reconcile took, by controller.",
        new HistogramConfiguration { LabelNames = ["controller"], Buckets = Histogram.ExponentialBuckets(0.0005, 3, 12) });

    private static readonly Gauge Active = Metrics.CreateGauge(
        "controller_runtime_active_workers", "Workers that reconcile right now, by controller.", "controller");

    private static readonly Gauge Maxima = Metrics.CreateGauge(
        "controller_runtime_max_concurrent_reconciles", "Workers, by controller.", "controller");

    public ReconcileMetrics(string controller)
    {
        Workers = Maxima.WithLabels(controller);
        Success = Totals.WithLabels(controller, "success");
        LookAgain = Totals.WithLabels(controller, "requeue_after");
        Requeue = Totals.WithLabels(controller, "requeue");
        Error = Totals.WithLabels(controller, "error");
        Errors = ErrorTotals.WithLabels(controller);
        Duration = Durations.WithLabels(controller);
        ActiveWorkers = Active.WithLabels(controller);
    }

    public Counter.Child Success { get; }

    public Counter.Child LookAgain { get; }

    public Counter.Child Requeue { get; }

    public Counter.Child Error { get; }

    public Counter.Child Errors { get; }

    public Histogram.Child Duration { get; }

    public Gauge.Child Workers { get; }

    public Gauge.Child ActiveWorkers { get; }
}
