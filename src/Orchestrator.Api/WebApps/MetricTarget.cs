using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>What a metric should be, and as what it was seen: one of the fields (autoscaling/v2's MetricTarget and MetricValueStatus).</summary>
public sealed class MetricTarget
{
    /// <summary>A replica's share of what the app has in all.</summary>
    [JsonPropertyName("averageValue")]
    public ResourceQuantity? AverageValue { get; set; }

    /// <summary>Of the app as a whole; milliseconds for <see cref="MetricTypes.LatencyP95"/>.</summary>
    [JsonPropertyName("value")]
    public ResourceQuantity? Value { get; set; }
}
