using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>A new revision gets a growing share of the requests beside all replicas of the old one.</summary>
public sealed class CanaryStrategy
{
    /// <summary>At least one, each of more weight than the one before.</summary>
    [JsonPropertyName("steps")]
    public IList<CanaryStep> Steps { get; set; } = [];

    /// <summary>Null: only replicas that fail take the new revision back.</summary>
    [JsonPropertyName("analysis")]
    public CanaryAnalysis? Analysis { get; set; }
}

public sealed class CanaryStep
{
    /// <summary>Percent of the requests, and of the wanted replicas that are made for them.</summary>
    [JsonPropertyName("weight")]
    public int Weight { get; set; }

    /// <summary>Null: until somebody promotes it (<see cref="Annotations.Promote"/>).</summary>
    [JsonPropertyName("durationSeconds")]
    public int? DurationSeconds { get; set; }

    /// <summary>Replicas that the step needs: at least one, and never more than are wanted.</summary>
    public int ReplicasOf(int desired) => Math.Min(desired, Math.Max(1, (int)Math.Ceiling((double)desired * Weight / 100)));
}

/// <summary>What the new revision may be worse than the stable one, as the proxies see both.</summary>
public sealed class CanaryAnalysis
{
    public const int DefaultMaxErrorPercent = 1;

    /// <summary>Generous: a step has few requests, and new replicas are cold.</summary>
    public const int DefaultMaxLatencyPercent = 200;

    /// <summary>Fewer say nothing of a 95th percentile.</summary>
    public const int DefaultMinRequests = 50;

    /// <summary>Percentage points of answers 5xx, or none at all, beyond those of the stable revision.</summary>
    [JsonPropertyName("maxErrorPercent")]
    public int? MaxErrorPercent { get; set; }

    /// <summary>95th percentile of latency, in percent of the stable revision's.</summary>
    [JsonPropertyName("maxLatencyPercent")]
    public int? MaxLatencyPercent { get; set; }

    /// <summary>Requests of the new revision in a step before it is judged.</summary>
    [JsonPropertyName("minRequests")]
    public int? MinRequests { get; set; }
}
