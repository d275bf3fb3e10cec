using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.Replicas;

/// <summary>Observed state of a Replica: written by the scheduler until it is bound, by its host agent from then on.</summary>
public sealed class ReplicaStatus
{
    /// <summary><see cref="ReplicaPhases"/>.</summary>
    [JsonPropertyName("phase")]
    public string? Phase { get; set; }

    /// <summary>One CamelCase word for why it is in this phase, such as <c>ErrImagePull</c>; absent when all is well.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; set; }

    /// <summary>The same for people: what happened and what to do.</summary>
    [JsonPropertyName("message")]
    public string? Message { get; set; }

    [JsonPropertyName("containerId")]
    public string? ContainerId { get; set; }

    /// <summary>Where proxies dial; meaningful only while <see cref="Ready"/>.</summary>
    [JsonPropertyName("address")]
    public string? Address { get; set; }

    [JsonPropertyName("port")]
    public int? Port { get; set; }

    /// <summary>Of its host (<see cref="WebApps.TopologyKeys.Zone"/>): there proxies of the same zone are near. Null: the host names none.</summary>
    [JsonPropertyName("zone")]
    public string? Zone { get; set; }

    [JsonPropertyName("ready")]
    public bool Ready { get; set; }

    /// <summary>Restarts after the first start, by the engine or by the agent.</summary>
    [JsonPropertyName("restarts")]
    public int Restarts { get; set; }

    [JsonPropertyName("startedAt")]
    public DateTime? StartedAt { get; set; }

    [JsonPropertyName("lastTermination")]
    public Termination? LastTermination { get; set; }

    /// <summary>What its probes find; absent before the first run of its container.</summary>
    [JsonPropertyName("probes")]
    public ProbesStatus? Probes { get; set; }

    [JsonPropertyName("conditions")]
    public IList<V1Condition>? Conditions { get; set; }
}

/// <summary>How the container last ended.</summary>
public sealed class Termination
{
    /// <summary>Null when it ran again before anybody was told.</summary>
    [JsonPropertyName("exitCode")]
    public long? ExitCode { get; set; }

    /// <summary>
    /// <c>Completed</c>, <c>Error</c>, <c>OOMKilled</c>, <c>LivenessProbeFailed</c>, <c>StartupProbeFailed</c>, <c>PostStartHookError</c>, or
    /// <c>Unknown</c> without an exit code.
    /// </summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; set; }

    /// <summary>Its last words: the last line of its log.</summary>
    [JsonPropertyName("message")]
    public string? Message { get; set; }

    [JsonPropertyName("finishedAt")]
    public DateTime? FinishedAt { get; set; }
}

/// <summary>Values of <see cref="ReplicaStatus.Phase"/>, in the order of a replica's life.</summary>
public static class ReplicaPhases
{
    /// <summary>Not bound to a host yet; reason <c>Unschedulable</c> and the message say why.</summary>
    public const string Pending = "Pending";

    /// <summary>Bound; its image is being pulled or its container created and started.</summary>
    public const string Starting = "Starting";

    /// <summary>Its container runs; see ready.</summary>
    public const string Running = "Running";

    /// <summary>Failed and waiting for the next try; the reason says at what: ErrImagePull, CrashLoopBackOff, …</summary>
    public const string BackOff = "BackOff";

    /// <summary>Marked for deletion; proxies are letting go of it.</summary>
    public const string Draining = "Draining";

    /// <summary>Drained; its container has been sent the stop signal.</summary>
    public const string Stopping = "Stopping";
}
