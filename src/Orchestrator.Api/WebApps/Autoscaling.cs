using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// Lets the number of replicas follow the load, as a HorizontalPodAutoscaler (autoscaling/v2) does; <see cref="WebAppSpec.Replicas"/>
/// is of no meaning then.
/// </summary>
public sealed class Autoscaling
{
    /// <summary>Kubernetes' default.</summary>
    public const int DefaultMinReplicas = 1;

    /// <summary>Fewest replicas; 0 lets the app go without any while nobody asks for it.</summary>
    [JsonPropertyName("minReplicas")]
    public int? MinReplicas { get; set; }

    [JsonPropertyName("maxReplicas")]
    public int MaxReplicas { get; set; }

    /// <summary>At least one; the one that asks for most replicas decides.</summary>
    [JsonPropertyName("metrics")]
    public IList<AutoscalingMetric> Metrics { get; set; } = [];

    [JsonPropertyName("behavior")]
    public AutoscalingBehavior? Behavior { get; set; }

    /// <summary>Floors that hold at certain times.</summary>
    [JsonPropertyName("schedules")]
    public IList<AutoscalingSchedule>? Schedules { get; set; }

    /// <summary><see cref="MinReplicas"/> with its default. Never above <see cref="MaxReplicas"/>: a server that does not know our rules may store it.</summary>
    [JsonIgnore]
    public int LeastReplicas => Math.Min(MinReplicas ?? DefaultMinReplicas, MaxReplicas);

    /// <summary>Whether an app may go without any replica.</summary>
    [JsonIgnore]
    public bool ScalesToZero => LeastReplicas == 0;

    /// <summary>Whether the proxies have to tell what they see of the app.</summary>
    [JsonIgnore]
    public bool NeedsTraffic => ScalesToZero || Metrics.Any(metric => MetricTypes.IsOfProxies(metric.Type));
}

/// <summary>What an app is scaled by, and how much of it a replica is to have.</summary>
public sealed class AutoscalingMetric
{
    /// <summary>One of <see cref="MetricTypes"/>.</summary>
    [JsonPropertyName("type")]
    public string Type { get; set; } = "";

    /// <summary>Of that type alone.</summary>
    [JsonPropertyName("prometheus")]
    public PrometheusQuery? Prometheus { get; set; }

    [JsonPropertyName("target")]
    public MetricTarget Target { get; set; } = new();
}

public static class MetricTypes
{
    /// <summary>Cores in use, in percent of what the replicas request.</summary>
    public const string Cpu = "cpu";

    /// <summary>The same of memory.</summary>
    public const string Memory = "memory";

    /// <summary>Requests that begin, a second.</summary>
    public const string RequestsPerSecond = "requestsPerSecond";

    /// <summary>Requests under way, those included that wait for a replica.</summary>
    public const string InFlight = "inFlight";

    /// <summary>95th percentile of the time from a request's being sent to a replica to the end of its answer.</summary>
    public const string LatencyP95 = "latencyP95";

    /// <summary>Whatever a Prometheus server knows.</summary>
    public const string Prometheus = "prometheus";

    /// <summary>Whether it is the hosts' engines that see it.</summary>
    public static bool IsOfEngines(string type) => type is Cpu or Memory;

    /// <summary>Whether it is the proxies that see it.</summary>
    public static bool IsOfProxies(string type) => type is RequestsPerSecond or InFlight or LatencyP95;
}
