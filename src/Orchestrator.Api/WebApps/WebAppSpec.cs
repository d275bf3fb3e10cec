using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// Desired state of a WebApp. The inherited part is what makes a container (<see cref="ReplicaTemplate"/>): a change there is
/// a new revision; a change here is not.
/// </summary>
public sealed class WebAppSpec : ReplicaTemplate
{
    /// <summary>How many replicas to keep; 0 keeps none. Default 1.</summary>
    [JsonPropertyName("replicas")]
    public int? Replicas { get; set; }

    [JsonPropertyName("placement")]
    public Placement? Placement { get; set; }

    [JsonPropertyName("route")]
    public Route? Route { get; set; }

    /// <summary><see cref="Replicas"/> with its default.</summary>
    [JsonIgnore]
    public int DesiredReplicas => Replicas ?? 1;
}
