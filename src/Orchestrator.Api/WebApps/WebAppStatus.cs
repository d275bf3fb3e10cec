using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>Observed state of a WebApp, written by the WebApp controller alone, but for <see cref="Autoscaling"/>.</summary>
public sealed class WebAppStatus
{
    /// <summary>The metadata.generation that this status is about.</summary>
    [JsonPropertyName("observedGeneration")]
    public long? ObservedGeneration { get; set; }

    /// <summary>Replicas that there are to be, as of this status: <see cref="WebApp.DesiredReplicas"/>.</summary>
    [JsonPropertyName("desiredReplicas")]
    public int? DesiredReplicas { get; set; }

    /// <summary>Replicas that exist and are not being deleted.</summary>
    [JsonPropertyName("replicas")]
    public int Replicas { get; set; }

    [JsonPropertyName("readyReplicas")]
    public int ReadyReplicas { get; set; }

    /// <summary>Replicas that have been ready for minReadySeconds.</summary>
    [JsonPropertyName("availableReplicas")]
    public int AvailableReplicas { get; set; }

    /// <summary>Replicas of <see cref="UpdateRevision"/>.</summary>
    [JsonPropertyName("updatedReplicas")]
    public int UpdatedReplicas { get; set; }

    /// <summary>The revision that all replicas had when the last rollout completed.</summary>
    [JsonPropertyName("currentRevision")]
    public string? CurrentRevision { get; set; }

    /// <summary>The revision that the spec asks for; while paused, the one it asked for before.</summary>
    [JsonPropertyName("updateRevision")]
    public string? UpdateRevision { get; set; }

    /// <summary>Absent when none is under way.</summary>
    [JsonPropertyName("rollout")]
    public RolloutProgress? Rollout { get; set; }

    /// <summary>The one that failed and was taken back; absent once the template has changed.</summary>
    [JsonPropertyName("failedRollout")]
    public FailedRollout? FailedRollout { get; set; }

    /// <summary>
    /// Hash of what the ConfigMaps and Secrets that the app refers to hold now. Absent without references that roll on a change, and while
    /// something is missing.
    /// </summary>
    [JsonPropertyName("contentHash")]
    public string? ContentHash { get; set; }

    /// <summary>Absent without autoscaling.</summary>
    [JsonPropertyName("autoscaling")]
    public AutoscalingStatus? Autoscaling { get; set; }

    /// <summary>Label selector of the app's Replicas, for the scale subresource.</summary>
    [JsonPropertyName("selector")]
    public string? Selector { get; set; }

    [JsonPropertyName("conditions")]
    public IList<V1Condition>? Conditions { get; set; }
}

/// <summary>The rollout that is under way.</summary>
public sealed class RolloutProgress
{
    [JsonPropertyName("startedAt")]
    public DateTime? StartedAt { get; set; }

    /// <summary>When it last came forward: from then on the deadline counts. Absent while paused.</summary>
    [JsonPropertyName("progressedAt")]
    public DateTime? ProgressedAt { get; set; }

    /// <summary>Most replicas of the new revision that have been available at once: only more of them is progress.</summary>
    [JsonPropertyName("mostAvailable")]
    public int MostAvailable { get; set; }

    /// <summary>Null for other strategies.</summary>
    [JsonPropertyName("canary")]
    public CanaryProgress? Canary { get; set; }
}

/// <summary>Where a canary stands.</summary>
public sealed class CanaryProgress
{
    [JsonPropertyName("revision")]
    public string Revision { get; set; } = "";

    /// <summary>Index of the step that is being made or has been; the number of steps once it is promoted.</summary>
    [JsonPropertyName("step")]
    public int Step { get; set; }

    /// <summary>Percent of the requests that go to it now; null: all replicas share them alike.</summary>
    [JsonPropertyName("weight")]
    public int? Weight { get; set; }

    /// <summary>Since when. Proxies count requests from then, and say so by this very time (<see cref="CanaryObservation"/>).</summary>
    [JsonPropertyName("weightSince")]
    public DateTime? WeightSince { get; set; }

    /// <summary>What the proxies have seen since then, for people.</summary>
    [JsonPropertyName("analysis")]
    public string? Analysis { get; set; }
}

/// <summary>A rollout that was given up; its revision is not tried again.</summary>
public sealed class FailedRollout
{
    [JsonPropertyName("revision")]
    public string Revision { get; set; } = "";

    /// <summary>One CamelCase word for why.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; set; }

    /// <summary>The same for people, with the last words of the replica that failed.</summary>
    [JsonPropertyName("message")]
    public string? Message { get; set; }

    [JsonPropertyName("failedAt")]
    public DateTime? FailedAt { get; set; }
}
