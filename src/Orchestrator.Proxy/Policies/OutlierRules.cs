using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Policies;

/// <summary><see cref="OutlierDetection"/> with its defaults.</summary>
internal sealed class OutlierRules(OutlierDetection detection)
{
    /// <summary>However often it happens: Envoy's default.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    private readonly TimeSpan _base = TimeSpan.FromSeconds(detection.BaseEjectionSeconds ?? OutlierDetection.DefaultBaseEjectionSeconds);

    /// <summary>0: errors are no reason.</summary>
    public int ConsecutiveErrors { get; } = detection.ConsecutiveErrors ?? OutlierDetection.DefaultConsecutiveErrors;

    /// <summary>0: slowness is no reason.</summary>
    public int LatencyFactor { get; } = detection.LatencyFactor ?? OutlierDetection.DefaultLatencyFactor;

    /// <summary>For how long an endpoint is avoided the n-th time.</summary>
    public TimeSpan EjectionTime(int times) => _base * times < Longest ? _base * times : Longest;

    /// <summary>How many of an app's endpoints may be avoided at a time.</summary>
    public int MostEjected(int endpoints) =>
        Math.Min(endpoints * (detection.MaxEjectedPercent ?? OutlierDetection.DefaultMaxEjectedPercent) / 100, endpoints - 1);
}
