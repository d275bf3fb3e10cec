using Orchestrator.Runtime;
using Prometheus;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// The metrics of one app, looked up by label once so that a request only adds to them. Gone with the app: series of what no
/// longer exists would be scraped for ever.
/// </summary>
internal sealed class AppMetrics : IDisposable
{
    public const string BusyLimit = "busy";
    public const string RateLimit = "rate";
    public const string SizeLimit = "size";
    public const string PaceLimit = "pace";
    public const string Errors = "errors";
    public const string Latency = "latency";

    private static readonly Counter AllRequests = Metrics.CreateCounter(
        "orchestrator_proxy_requests_total",
        "Requests answered, by class of status; a client that went away before its answer counts as 4xx.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "code"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Histogram AllDurations = Metrics.CreateHistogram(
        "orchestrator_proxy_request_duration_seconds",
        "From a request's headers to the end of its answer; upgraded connections (WebSockets) are left out.",
        new HistogramConfiguration
        {
            LabelNames = ["namespace", "app"],
            Buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
            ExemplarBehavior = ExemplarBehavior.NoExemplars(),
        });

    private static readonly Gauge AllInFlight = Metrics.CreateGauge(
        "orchestrator_proxy_requests_in_flight", "Requests being served, streams and WebSockets included.", "namespace", "app");

    private static readonly Gauge AllEndpoints = Metrics.CreateGauge(
        "orchestrator_proxy_endpoints", "Ready replicas that requests are sent to.", "namespace", "app");

    private static readonly Counter AllRetries = Metrics.CreateCounter(
        "orchestrator_proxy_retries_total",
        "Further tries of requests on another replica.",
        new CounterConfiguration { LabelNames = ["namespace", "app"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Counter AllRetriesRefused = Metrics.CreateCounter(
        "orchestrator_proxy_retries_refused_total",
        "Further tries that were not made because the app's retry budget was spent.",
        new CounterConfiguration { LabelNames = ["namespace", "app"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Counter AllBrokenOff = Metrics.CreateCounter(
        "orchestrator_proxy_responses_broken_off_total",
        "Answers that a replica broke off after they had begun; the client has seen a broken connection.",
        new CounterConfiguration { LabelNames = ["namespace", "app"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Counter AllAbandoned = Metrics.CreateCounter(
        "orchestrator_proxy_responses_abandoned_total",
        "Answers that their clients did not take to the end: they went away, or took nothing for as long as may be.",
        new CounterConfiguration { LabelNames = ["namespace", "app"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Gauge AllWaiting = Metrics.CreateGauge(
        "orchestrator_proxy_requests_waiting", "Requests that wait because every replica has as many as it may.", "namespace", "app");

    private static readonly Counter AllRefused = Metrics.CreateCounter(
        "orchestrator_proxy_requests_refused_total",
        "Requests that the app's own limits let the proxy answer: busy (503), rate (429), size (413); and pace (408), a body that came too slowly.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "limit"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly Counter AllEjections = Metrics.CreateCounter(
        "orchestrator_proxy_ejections_total",
        "Replicas that were avoided for doing far worse than the app's others, by errors or latency.",
        new CounterConfiguration { LabelNames = ["namespace", "app", "reason"], ExemplarBehavior = ExemplarBehavior.NoExemplars() });

    private static readonly string[] Limits = [BusyLimit, RateLimit, SizeLimit, PaceLimit];
    private static readonly string[] EjectionReasons = [Errors, Latency];

    private readonly string[] _labels;
    private readonly Counter.Child[] _requests;

    public AppMetrics(ObjectKey app)
    {
        _labels = [app.Namespace ?? "", app.Name];
        _requests = [.. StatusClasses.All.Select(code => AllRequests.WithLabels([.. _labels, code]))];
        Duration = AllDurations.WithLabels(_labels);
        InFlight = AllInFlight.WithLabels(_labels);
        Endpoints = AllEndpoints.WithLabels(_labels);
        Retries = AllRetries.WithLabels(_labels);
        RetriesRefused = AllRetriesRefused.WithLabels(_labels);
        BrokenOff = AllBrokenOff.WithLabels(_labels);
        Abandoned = AllAbandoned.WithLabels(_labels);
        Waiting = AllWaiting.WithLabels(_labels);
    }

    public Histogram.Child Duration { get; }

    public Gauge.Child InFlight { get; }

    public Gauge.Child Endpoints { get; }

    public Counter.Child Retries { get; }

    public Counter.Child RetriesRefused { get; }

    public Counter.Child BrokenOff { get; }

    public Counter.Child Abandoned { get; }

    public Gauge.Child Waiting { get; }

    /// <summary>A request that a limit has turned away. Series of limits that have turned nothing away are not there.</summary>
    public Counter.Child Refused(string limit) => AllRefused.WithLabels([.. _labels, limit]);

    public Counter.Child Ejections(string reason) => AllEjections.WithLabels([.. _labels, reason]);

    public Counter.Child Requests(int status) => _requests[StatusClasses.IndexOf(status)];

    public void Dispose()
    {
        foreach (var code in StatusClasses.All)
        {
            AllRequests.RemoveLabelled([.. _labels, code]);
        }

        AllDurations.RemoveLabelled(_labels);
        AllInFlight.RemoveLabelled(_labels);
        AllEndpoints.RemoveLabelled(_labels);
        AllRetries.RemoveLabelled(_labels);
        AllRetriesRefused.RemoveLabelled(_labels);
        AllBrokenOff.RemoveLabelled(_labels);
        AllAbandoned.RemoveLabelled(_labels);
        AllWaiting.RemoveLabelled(_labels);
        foreach (var limit in Limits)
        {
            AllRefused.RemoveLabelled([.. _labels, limit]);
        }

        foreach (var reason in EjectionReasons)
        {
            AllEjections.RemoveLabelled([.. _labels, reason]);
        }
    }
}
