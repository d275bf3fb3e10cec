using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>How fast the number of replicas follows; autoscaling/v2's HorizontalPodAutoscalerBehavior, with its defaults.</summary>
public sealed class AutoscalingBehavior
{
    [JsonPropertyName("scaleUp")]
    public ScalingRules? ScaleUp { get; set; }

    [JsonPropertyName("scaleDown")]
    public ScalingRules? ScaleDown { get; set; }
}

/// <summary>Rules of one direction. What is absent has Kubernetes' default.</summary>
public sealed class ScalingRules
{
    /// <summary>Seconds back in which the most cautious recommendation counts. Default 0 up, 300 down.</summary>
    [JsonPropertyName("stabilizationWindowSeconds")]
    public int? StabilizationWindowSeconds { get; set; }

    /// <summary>One of <see cref="ScalingPolicySelect"/>. Default Max.</summary>
    [JsonPropertyName("selectPolicy")]
    public string? SelectPolicy { get; set; }

    /// <summary>Default: up by 100 % or 4 replicas in 15 s, whichever is more; down by 100 % in 15 s.</summary>
    [JsonPropertyName("policies")]
    public IList<ScalingPolicy>? Policies { get; set; }
}

public static class ScalingPolicySelect
{
    /// <summary>The policy that allows the greatest change.</summary>
    public const string Max = "Max";

    /// <summary>The one that allows the least.</summary>
    public const string Min = "Min";

    /// <summary>No change in this direction.</summary>
    public const string Disabled = "Disabled";
}

/// <summary>How many replicas may come or go in a period.</summary>
public sealed class ScalingPolicy
{
    public const string Replicas = "Replicas";
    public const string Percent = "Percent";

    /// <summary><see cref="Replicas"/>, or <see cref="Percent"/> of those there were when the period began.</summary>
    [JsonPropertyName("type")]
    public string Type { get; set; } = "";

    [JsonPropertyName("value")]
    public int Value { get; set; }

    [JsonPropertyName("periodSeconds")]
    public int PeriodSeconds { get; set; }
}
