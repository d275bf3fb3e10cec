using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>How a new revision takes the place of the one before. Kubernetes' words, meaning and defaults.</summary>
public sealed class RolloutStrategy
{
    public const string RollingUpdate = "RollingUpdate";
    public const string Recreate = "Recreate";
    public const string Canary = "Canary";

    /// <summary><see cref="RollingUpdate"/> (the default), <see cref="Recreate"/> or <see cref="Canary"/>.</summary>
    [JsonPropertyName("type")]
    public string? Type { get; set; }

    /// <summary>Limits of a rolling update.</summary>
    [JsonPropertyName("rollingUpdate")]
    public RollingUpdateLimits? Rolling { get; set; }

    /// <summary>Steps of a canary.</summary>
    [JsonPropertyName("canary")]
    public CanaryStrategy? CanarySteps { get; set; }
}

/// <summary>Limits of a rolling update, each a number of replicas or a percentage of the wanted ones.</summary>
public sealed class RollingUpdateLimits
{
    private static readonly IntOrString Default = "25%";

    /// <summary>Replicas beyond the wanted ones.</summary>
    [JsonPropertyName("maxSurge")]
    public IntOrString? MaxSurge { get; set; }

    /// <summary>Replicas that may be missing by the rollout's own doing.</summary>
    [JsonPropertyName("maxUnavailable")]
    public IntOrString? MaxUnavailable { get; set; }

    /// <summary>
    /// Both in replicas: the surge rounded up, the unavailable down. Where that makes both 0, nothing could ever move: then one may
    /// be unavailable, as in Kubernetes.
    /// </summary>
    /// <param name="limits">Null: the defaults.</param>
    /// <exception cref="FormatException">A text is neither a number nor a percentage; no server that checks the schema stores one.</exception>
    public static (int Surge, int Unavailable) Of(RollingUpdateLimits? limits, int desired)
    {
        var surge = ReplicaShare.Of(limits?.MaxSurge ?? Default, desired, Math.Ceiling);
        var unavailable = ReplicaShare.Of(limits?.MaxUnavailable ?? Default, desired, Math.Floor);
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable);
    }
}
