using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>Observed state of a WebApp, written by the WebApp controller alone.</summary>
public sealed class WebAppStatus
{
    /// <summary>The metadata.generation that this status is about.</summary>
    [JsonPropertyName("observedGeneration")]
    public long? ObservedGeneration { get; set; }

    /// <summary>Replicas that exist and are not being deleted.</summary>
    [JsonPropertyName("replicas")]
    public int Replicas { get; set; }

    [JsonPropertyName("readyReplicas")]
    public int ReadyReplicas { get; set; }

    /// <summary>Replicas of <see cref="UpdateRevision"/>.</summary>
    [JsonPropertyName("updatedReplicas")]
    public int UpdatedReplicas { get; set; }

    /// <summary>The revision that all replicas had when the last rollout completed.</summary>
    [JsonPropertyName("currentRevision")]
    public string? CurrentRevision { get; set; }

    /// <summary>The revision that the spec asks for.</summary>
    [JsonPropertyName("updateRevision")]
    public string? UpdateRevision { get; set; }

    /// <summary>Label selector of the app's Replicas, for the scale subresource.</summary>
    [JsonPropertyName("selector")]
    public string? Selector { get; set; }

    [JsonPropertyName("conditions")]
    public IList<V1Condition>? Conditions { get; set; }
}
