using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>What a metric should be, and as what it was seen: some of the fields (autoscaling/v2's MetricTarget and MetricValueStatus).</summary>
public sealed class MetricTarget
{
    /// <summary>Percent of what the replicas request of <see cref="MetricTypes.Cpu"/> or <see cref="MetricTypes.Memory"/>, on average.</summary>
    [JsonPropertyName("averageUtilization")]
    public int? AverageUtilization { get; set; }

    /// <summary>A replica's share of what the app has in all.</summary>
    [JsonPropertyName("averageValue")]
    public ResourceQuantity? AverageValue { get; set; }

    /// <summary>Of the app as a whole; milliseconds for <see cref="MetricTypes.LatencyP95"/>.</summary>
    [JsonPropertyName("value")]
    public ResourceQuantity? Value { get; set; }
}
