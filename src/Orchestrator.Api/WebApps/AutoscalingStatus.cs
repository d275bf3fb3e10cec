using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>What autoscaling has come to, and why. Written by the autoscaler, and nothing else of the status is.</summary>
public sealed class AutoscalingStatus
{
    /// <summary>How many replicas there are to be.</summary>
    [JsonPropertyName("desiredReplicas")]
    public int DesiredReplicas { get; set; }

    /// <summary>When that last changed.</summary>
    [JsonPropertyName("lastScaleTime")]
    public DateTime? LastScaleTime { get; set; }

    /// <summary>Of the metrics that could be read.</summary>
    [JsonPropertyName("currentMetrics")]
    public IList<MetricStatus>? CurrentMetrics { get; set; }

    /// <summary>AbleToScale, ScalingActive and ScalingLimited, as a HorizontalPodAutoscaler has them.</summary>
    [JsonPropertyName("conditions")]
    public IList<V1Condition>? Conditions { get; set; }
}

/// <summary>What was last seen of a metric.</summary>
public sealed class MetricStatus
{
    [JsonPropertyName("type")]
    public string Type { get; set; } = "";

    /// <summary>Of a metric of <see cref="MetricTypes.Prometheus"/>, which one it is.</summary>
    [JsonPropertyName("query")]
    public string? Query { get; set; }

    [JsonPropertyName("current")]
    public MetricTarget Current { get; set; } = new();
}
