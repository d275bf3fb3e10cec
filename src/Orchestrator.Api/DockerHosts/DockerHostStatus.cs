using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.DockerHosts;

/// <summary>Observed state of a host, written by its agent when something changed (there is no heartbeat).</summary>
public sealed class DockerHostStatus
{
    [JsonPropertyName("observedGeneration")]
    public long? ObservedGeneration { get; set; }

    /// <summary>Version of the engine, such as <c>20.10.24</c>.</summary>
    [JsonPropertyName("engineVersion")]
    public string? EngineVersion { get; set; }

    /// <summary>Version of the Docker Engine API in use, such as <c>1.41</c>.</summary>
    [JsonPropertyName("apiVersion")]
    public string? ApiVersion { get; set; }

    [JsonPropertyName("operatingSystem")]
    public string? OperatingSystem { get; set; }

    /// <summary>In Go's words, as image manifests have it: <c>amd64</c>, <c>arm64</c>.</summary>
    [JsonPropertyName("architecture")]
    public string? Architecture { get; set; }

    /// <summary>What the host has (or spec.capacity says): <c>cpu</c> in cores, <c>memory</c> in bytes.</summary>
    [JsonPropertyName("capacity")]
    public IDictionary<string, ResourceQuantity>? Capacity { get; set; }

    /// <summary>Sum of the requests of the Replicas bound to it.</summary>
    [JsonPropertyName("allocated")]
    public IDictionary<string, ResourceQuantity>? Allocated { get; set; }

    /// <summary>Replicas bound to it.</summary>
    [JsonPropertyName("replicas")]
    public int Replicas { get; set; }

    /// <summary>Images on the host, largest first, at most <see cref="MaxImages"/>.</summary>
    [JsonPropertyName("images")]
    public IList<HostImage>? Images { get; set; }

    /// <summary>Absent while the host has not failed lately.</summary>
    [JsonPropertyName("flapping")]
    public HostFlapping? Flapping { get; set; }

    /// <summary>
    /// Images that our own pulls brought, and so ours to remove; the latest first, at most <see cref="MaxPulledImages"/>. One that
    /// is no longer there, or that fell off the end, is not in it.
    /// </summary>
    [JsonPropertyName("pulledImages")]
    public IList<PulledImage>? PulledImages { get; set; }

    [JsonPropertyName("conditions")]
    public IList<V1Condition>? Conditions { get; set; }

    /// <summary>Some 30 KB at most; an image beyond it is treated as somebody else's.</summary>
    public const int MaxPulledImages = 200;

    /// <summary>Kubernetes' nodeStatusMaxImages: the status stays small on a host with thousands.</summary>
    public const int MaxImages = 50;
}

/// <summary>That a host fails again and again; forgotten once it has been ready for ten minutes.</summary>
public sealed class HostFlapping
{
    /// <summary>How many times it has stopped being ready.</summary>
    [JsonPropertyName("count")]
    public int Count { get; set; }

    /// <summary>When it last did.</summary>
    [JsonPropertyName("failedAt")]
    public DateTime? FailedAt { get; set; }

    /// <summary>It is given no new replicas before. Absent while it is not ready, and after the first time.</summary>
    [JsonPropertyName("until")]
    public DateTime? Until { get; set; }

    /// <summary>Until when it is given none; null when it is not held back at <paramref name="now"/>.</summary>
    public static DateTime? HeldBackUntil(DockerHostStatus? status, DateTimeOffset now) =>
        status?.Flapping?.Until is { } until && until > now.UtcDateTime ? until : null;
}

/// <summary>An image on a host.</summary>
public sealed class HostImage
{
    /// <summary>References that name it, such as <c>registry/name:tag</c>.</summary>
    [JsonPropertyName("names")]
    public IList<string> Names { get; set; } = [];

    [JsonPropertyName("sizeBytes")]
    public long SizeBytes { get; set; }
}

/// <summary>An image that a pull of ours brought to a host that did not have it.</summary>
public sealed class PulledImage
{
    /// <summary>The engine's: <c>sha256:…</c>.</summary>
    [JsonPropertyName("id")]
    public string Id { get; set; } = "";

    /// <summary>References that we pulled it by, normalized. One that bears another name too has become somebody else's.</summary>
    [JsonPropertyName("names")]
    public IList<string> Names { get; set; } = [];

    [JsonPropertyName("pulledAt")]
    public DateTime PulledAt { get; set; }

    /// <summary>Since when no container is made from it, as far as we looked; absent while one is.</summary>
    [JsonPropertyName("unusedSince")]
    public DateTime? UnusedSince { get; set; }
}
