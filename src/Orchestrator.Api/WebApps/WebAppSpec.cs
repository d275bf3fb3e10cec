using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// Desired state of a WebApp. The inherited part is what makes a container (<see cref="ReplicaTemplate"/>): a change there is
/// a new revision; a change here is not.
/// </summary>
public sealed class WebAppSpec : ReplicaTemplate
{
    /// <summary>Seconds. Kubernetes' default.</summary>
    public const int DefaultProgressDeadlineSeconds = 600;

    /// <summary>Kubernetes' default.</summary>
    public const int DefaultRevisionHistoryLimit = 10;

    /// <summary>How many replicas to keep; 0 keeps none. Default 1. Of no meaning beside <see cref="Autoscaling"/>: see <see cref="WebApp.DesiredReplicas"/>.</summary>
    [JsonPropertyName("replicas")]
    public int? Replicas { get; set; }

    /// <summary>Null: there are as many as <see cref="Replicas"/> says.</summary>
    [JsonPropertyName("autoscaling")]
    public Autoscaling? Autoscaling { get; set; }

    [JsonPropertyName("placement")]
    public Placement? Placement { get; set; }

    /// <summary>
    /// Higher ones are placed first, and may have lower ones stopped where there is no room. Default 0; Kubernetes' range for users,
    /// up to 10^9 either way.
    /// </summary>
    [JsonPropertyName("priority")]
    public int? Priority { get; set; }

    /// <summary>How many replicas may be missing; read by <see cref="DisruptionLimits"/>.</summary>
    [JsonPropertyName("disruption")]
    public Disruption? Disruption { get; set; }

    [JsonPropertyName("route")]
    public Route? Route { get; set; }

    [JsonPropertyName("strategy")]
    public RolloutStrategy? Strategy { get; set; }

    /// <summary>Seconds that a new replica must stay ready before it counts as available. Default 0.</summary>
    [JsonPropertyName("minReadySeconds")]
    public int? MinReadySeconds { get; set; }

    /// <summary>Seconds without progress after which a rollout has failed.</summary>
    [JsonPropertyName("progressDeadlineSeconds")]
    public int? ProgressDeadlineSeconds { get; set; }

    /// <summary>Whether a failed rollout is taken back. Default true.</summary>
    [JsonPropertyName("autoRollback")]
    public bool? AutoRollback { get; set; }

    /// <summary>Earlier revisions that are kept to go back to.</summary>
    [JsonPropertyName("revisionHistoryLimit")]
    public int? RevisionHistoryLimit { get; set; }

    /// <summary>Holds a rollout where it is, and gathers changes of the template. Default false.</summary>
    [JsonPropertyName("paused")]
    public bool? Paused { get; set; }

    /// <summary>Always null: what the references hold is known to the controller, and no part of what is asked for.</summary>
    [JsonIgnore]
    public override string? ContentHash
    {
        get => null;
        set => throw new NotSupportedException("a WebApp has no content hash");
    }

    [JsonIgnore]
    public TimeSpan MinReady => TimeSpan.FromSeconds(MinReadySeconds ?? 0);

    [JsonIgnore]
    public TimeSpan ProgressDeadline => TimeSpan.FromSeconds(ProgressDeadlineSeconds ?? DefaultProgressDeadlineSeconds);
}
