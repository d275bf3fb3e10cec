using Orchestrator.ApiServer.Storage;
using Prometheus;

namespace Orchestrator.ApiServer;

/// <summary>The API server's metrics, in the process' default registry.</summary>
internal static class ApiServerMetrics
{
    public static Counter Requests { get; } = Metrics.CreateCounter(
        "orchestrator_apiserver_requests_total", "Requests answered.", "verb", "resource", "code");

    public static Histogram Duration { get; } = Metrics.CreateHistogram(
        "orchestrator_apiserver_request_duration_seconds",
        "How long requests took, watches left out.",
        new HistogramConfiguration { LabelNames = ["verb", "resource"], Buckets = Histogram.ExponentialBuckets(0.001, 2, 13) });

    public static Gauge Watchers { get; } = Metrics.CreateGauge(
        "orchestrator_apiserver_watchers", "Watches that are open.", "resource");

    public static Counter HousekeepingFailures { get; } = Metrics.CreateCounter(
        "orchestrator_apiserver_housekeeping_failures_total", "Writes of the garbage collector and of emptying namespaces that failed.", "resource");

    private static readonly Gauge Revision = Metrics.CreateGauge(
        "orchestrator_apiserver_store_revision", "Newest revision of the store.");

    private static readonly Gauge Size = Metrics.CreateGauge(
        "orchestrator_apiserver_store_size_bytes", "Size of the store on disk, its write-ahead log included.");

    private static ObjectStore? _store;

    static ApiServerMetrics() => Metrics.DefaultRegistry.AddBeforeCollectCallback(() =>
    {
        if (Volatile.Read(ref _store) is { } store)
        {
            Revision.Set(store.Revision);
            Size.Set(store.SizeInBytes);
        }
    });

    /// <summary>Tells of this store from now on: a process has one.</summary>
    public static void Watch(ObjectStore store) => Volatile.Write(ref _store, store);
}
