using System.Text.Json.Serialization;

namespace Orchestrator.Api.Replicas;

/// <summary>What to run, and where. The template never changes after creation; host and port are written once, at binding.</summary>
public sealed class ReplicaSpec
{
    /// <summary>Name of the WebApp, in the Replica's namespace.</summary>
    [JsonPropertyName("appName")]
    public string AppName { get; set; } = "";

    [JsonPropertyName("revision")]
    public string Revision { get; set; } = "";

    [JsonPropertyName("template")]
    public ReplicaTemplate Template { get; set; } = new();

    /// <summary>The DockerHost it is bound to; absent until the scheduler has chosen.</summary>
    [JsonPropertyName("hostName")]
    public string? HostName { get; set; }

    /// <summary>The port on the host's publish address, from the host's range; given with the binding.</summary>
    [JsonPropertyName("hostPort")]
    public int? HostPort { get; set; }
}
