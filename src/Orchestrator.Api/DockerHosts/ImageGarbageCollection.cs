using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.DockerHosts;

/// <summary>
/// When unused images are removed from a host; names and thresholds after the kubelet's. An image is unused while no container, in
/// whatever state and of whomever, is made from it. One that a WebApp, a Replica or a kept revision names stays whatever this says.
/// </summary>
public sealed class ImageGarbageCollection
{
    /// <summary>Seconds. The kubelet's imageMinimumGCAge: what was just pulled may be about to be used.</summary>
    public const int DefaultMinimumAge = 120;

    /// <summary>Seconds: a week. The kubelet has none; it removes by disk pressure, which most engines do not tell us of.</summary>
    public const int DefaultMaximumAge = 7 * 24 * 3600;

    /// <summary>The kubelet's imageGCHighThresholdPercent.</summary>
    public const int DefaultHighThreshold = 85;

    /// <summary>The kubelet's imageGCLowThresholdPercent.</summary>
    public const int DefaultLowThreshold = 80;

    /// <summary>How long an image has been unused at least before it is removed for whatever reason. Default <see cref="DefaultMinimumAge"/>.</summary>
    [JsonPropertyName("minimumAgeSeconds")]
    public int? MinimumAgeSeconds { get; set; }

    /// <summary>How long an image may be unused. 0: for ever. Default <see cref="DefaultMaximumAge"/>.</summary>
    [JsonPropertyName("maximumAgeSeconds")]
    public int? MaximumAgeSeconds { get; set; }

    /// <summary>
    /// Percent of the engine's disk in use above which unused images go, those unused for longest first. 100: never. Default
    /// <see cref="DefaultHighThreshold"/>. Engines do not tell: known only of one at a unix socket whose data folder we see.
    /// </summary>
    [JsonPropertyName("highThresholdPercent")]
    public int? HighThresholdPercent { get; set; }

    /// <summary>Percent of the engine's disk in use down to which they go then. Default <see cref="DefaultLowThreshold"/>.</summary>
    [JsonPropertyName("lowThresholdPercent")]
    public int? LowThresholdPercent { get; set; }

    /// <summary>
    /// Bytes that all images together may have, used or not, before unused ones go, those unused for longest first. Layers that images share count
    /// once for each. Default: no limit.
    /// </summary>
    [JsonPropertyName("maximumBytes")]
    public ResourceQuantity? MaximumBytes { get; set; }

    /// <summary>Images that others brought to the host, too. Default false: only what our own pulls brought.</summary>
    [JsonPropertyName("includeForeign")]
    public bool? IncludeForeign { get; set; }

    [JsonIgnore]
    public TimeSpan MinimumAge => TimeSpan.FromSeconds(MinimumAgeSeconds ?? DefaultMinimumAge);

    /// <summary><see cref="MaximumAgeSeconds"/> with its default; null for ever.</summary>
    [JsonIgnore]
    public TimeSpan? MaximumAge => (MaximumAgeSeconds ?? DefaultMaximumAge) is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary><see cref="HighThresholdPercent"/> with its default; null for never.</summary>
    [JsonIgnore]
    public int? HighThreshold => (HighThresholdPercent ?? DefaultHighThreshold) is < 100 and var percent ? percent : null;

    /// <summary><see cref="LowThresholdPercent"/> with its default; no more than the high one, whatever is written.</summary>
    [JsonIgnore]
    public int LowThreshold => Math.Min(LowThresholdPercent ?? DefaultLowThreshold, HighThresholdPercent ?? DefaultHighThreshold);
}
