using Prometheus;

namespace Orchestrator.Runtime.Reconciling;

/// <summary>client-go's workqueue metrics, by their names. Queues of one name, such as those of all hosts, are counted together.</summary>
internal sealed class WorkQueueMetrics(string name)
{
    private static readonly HistogramConfiguration Durations = new()
    {
        LabelNames = ["name"],
        Buckets = Histogram.ExponentialBuckets(0.0001, 4, 10),
    };

    private static readonly Gauge AllDepths = Metrics.CreateGauge("workqueue_depth", "Keys ready to be reconciled.", "name");
    private static readonly Counter AllAdds = Metrics.CreateCounter("workqueue_adds_total", "Keys added.", "name");
    private static readonly Counter AllRetries = Metrics.CreateCounter("workqueue_retries_total", "Keys added again after a failure.", "name");

    private static readonly Histogram AllQueueDurations = Metrics.CreateHistogram(
        "workqueue_queue_duration_seconds", "How long a key stayed in the queue before it was taken.", Durations);

    private static readonly Histogram AllWorkDurations = Metrics.CreateHistogram(
        "workqueue_work_duration_seconds", "How long the work on a key took.", Durations);

    public Gauge.Child Depth { get; } = AllDepths.WithLabels(name);

    public Counter.Child Adds { get; } = AllAdds.WithLabels(name);

    public Counter.Child Retries { get; } = AllRetries.WithLabels(name);

    public Histogram.Child QueueDuration { get; } = AllQueueDurations.WithLabels(name);

    public Histogram.Child WorkDuration { get; } = AllWorkDurations.WithLabels(name);

    public void Taken(TimeSpan waited)
    {
        Depth.Dec();
        QueueDuration.Observe(waited.TotalSeconds);
    }
}
