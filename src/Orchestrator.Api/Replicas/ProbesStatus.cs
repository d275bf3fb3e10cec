using System.Text.Json.Serialization;

namespace Orchestrator.Api.Replicas;

/// <summary>What the probes of a Replica find, each if it has one.</summary>
public sealed class ProbesStatus
{
    [JsonPropertyName("startup")]
    public ProbeStatus? Startup { get; set; }

    /// <summary>Without a readiness probe in the template: whether its port accepts connections.</summary>
    [JsonPropertyName("readiness")]
    public ProbeStatus? Readiness { get; set; }

    [JsonPropertyName("liveness")]
    public ProbeStatus? Liveness { get; set; }
}

/// <summary>
/// What a probe finds. Not written at each look: at a change of the result, and every few seconds at most if a row of failures
/// begins, has doubled, ends, or says something else.
/// </summary>
public sealed class ProbeStatus
{
    /// <summary><see cref="ProbeResults"/>.</summary>
    [JsonPropertyName("result")]
    public string? Result { get; set; }

    /// <summary>Failures in a row when this was written; fewer than its threshold leave the result as it is.</summary>
    [JsonPropertyName("failures")]
    public int Failures { get; set; }

    /// <summary>The last failure that was told, also of an earlier run; absent if there was none.</summary>
    [JsonPropertyName("lastFailure")]
    public ProbeFailure? LastFailure { get; set; }
}

public sealed class ProbeFailure
{
    [JsonPropertyName("at")]
    public DateTime? At { get; set; }

    [JsonPropertyName("message")]
    public string? Message { get; set; }
}

/// <summary>Values of <see cref="ProbeStatus.Result"/>.</summary>
public static class ProbeResults
{
    /// <summary>Its run has not been looked at yet, or has just started and may yet pass.</summary>
    public const string Unknown = "Unknown";
    public const string Passing = "Passing";
    public const string Failing = "Failing";
}
