using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.DockerHosts;

public sealed class DockerHostSpec
{
    /// <summary>Address containers publish on when the endpoint is a unix socket and nothing else is said.</summary>
    public const string LoopbackAddress = "127.0.0.1";

    /// <summary>Seconds.</summary>
    public const int DefaultUnreachableAfter = 5;

    /// <summary>Seconds.</summary>
    public const int DefaultEngineDownAfter = 300;

    /// <summary>Where the engine listens: <c>unix:///path</c>, <c>tcp://host:port</c>, or <c>ssh://user@host:port/path</c> where only the host is a must.</summary>
    [JsonPropertyName("endpoint")]
    public string Endpoint { get; set; } = "";

    /// <summary>
    /// Secret in <see cref="ApiGroup.SystemNamespace"/> with <c>ca.crt</c>, <c>tls.crt</c> and <c>tls.key</c> for mutual TLS with a
    /// tcp endpoint. Plain tcp when absent.
    /// </summary>
    [JsonPropertyName("tlsSecretName")]
    public string? TlsSecretName { get; set; }

    /// <summary>
    /// Secret in <see cref="ApiGroup.SystemNamespace"/> with the key to log in with at an ssh endpoint (<c>ssh-privatekey</c>, as in
    /// Kubernetes' type <c>kubernetes.io/ssh-auth</c>) and, if given, the host keys that alone are trusted (<c>known_hosts</c>). When
    /// absent, keys and known hosts are those of the user that runs us.
    /// </summary>
    [JsonPropertyName("sshSecretName")]
    public string? SshSecretName { get; set; }

    /// <summary>Where proxies dial the published ports, when it is not <see cref="PublishAddress"/> (NAT).</summary>
    [JsonPropertyName("address")]
    public string? Address { get; set; }

    /// <summary>The host's own address that containers publish on. Default: the endpoint's host, 127.0.0.1 for a unix socket.</summary>
    [JsonPropertyName("publishAddress")]
    public string? PublishAddress { get; set; }

    /// <summary>Host ports that replicas are given. Default 20000 to 29999: below Linux' ephemeral range.</summary>
    [JsonPropertyName("portRange")]
    public PortRange? PortRange { get; set; }

    [JsonPropertyName("taints")]
    public IList<V1Taint>? Taints { get; set; }

    /// <summary>Cordoned: carries what it carries, takes nothing new.</summary>
    [JsonPropertyName("unschedulable")]
    public bool? Unschedulable { get; set; }

    /// <summary>To be emptied: takes nothing new either, and what apps have on it moves elsewhere, the new replica first.</summary>
    [JsonPropertyName("drain")]
    public bool? Drain { get; set; }

    /// <summary>What to count with instead of what the engine reports; keys <c>cpu</c>, <c>memory</c>.</summary>
    [JsonPropertyName("capacity")]
    public IDictionary<string, ResourceQuantity>? Capacity { get; set; }

    /// <summary>What of the capacity is kept for the host itself; keys <c>cpu</c>, <c>memory</c>. Default: nothing.</summary>
    [JsonPropertyName("reserved")]
    public IDictionary<string, ResourceQuantity>? Reserved { get; set; }

    /// <summary>
    /// How long neither engine nor replicas may answer before the replicas are replaced elsewhere. Default
    /// <see cref="DefaultUnreachableAfter"/>; an app may tolerate more (<see cref="HostTaints.Unreachable"/>).
    /// </summary>
    [JsonPropertyName("unreachableAfterSeconds")]
    public int? UnreachableAfterSeconds { get; set; }

    /// <summary>
    /// How long the engine may be away while replicas answer before they are moved. Default <see cref="DefaultEngineDownAfter"/>; an
    /// app may tolerate more (<see cref="HostTaints.EngineDown"/>).
    /// </summary>
    [JsonPropertyName("engineDownAfterSeconds")]
    public int? EngineDownAfterSeconds { get; set; }

    /// <summary>When unused images are removed; its own defaults when absent.</summary>
    [JsonPropertyName("imageGarbageCollection")]
    public ImageGarbageCollection? ImageGarbageCollection { get; set; }

    /// <summary>Takes nothing new.</summary>
    [JsonIgnore]
    public bool IsCordoned => (Unschedulable ?? false) || (Drain ?? false);

    [JsonIgnore]
    public TimeSpan UnreachableAfter => TimeSpan.FromSeconds(UnreachableAfterSeconds ?? DefaultUnreachableAfter);

    [JsonIgnore]
    public TimeSpan EngineDownAfter => TimeSpan.FromSeconds(EngineDownAfterSeconds ?? DefaultEngineDownAfter);

    /// <summary><see cref="PublishAddress"/> with its default.</summary>
    /// <exception cref="UriFormatException">The endpoint is not a URL.</exception>
    [JsonIgnore]
    public string EffectivePublishAddress => PublishAddress ?? EndpointHost;

    /// <summary><see cref="Address"/> with its default: where it publishes or, since nobody can dial every address, its endpoint's host.</summary>
    /// <exception cref="UriFormatException">The endpoint is not a URL.</exception>
    [JsonIgnore]
    public string EffectiveAddress => Address ?? (EffectivePublishAddress is "0.0.0.0" or "::" ? EndpointHost : EffectivePublishAddress);

    private string EndpointHost => new Uri(Endpoint) is { Scheme: "tcp" or "ssh", Host: var host } ? host.Trim('[', ']') : LoopbackAddress;
}

/// <summary>An inclusive range of TCP ports, 1 to 65535.</summary>
public sealed class PortRange
{
    public const int DefaultFirst = 20000;
    public const int DefaultLast = 29999;

    [JsonPropertyName("first")]
    public int First { get; set; } = DefaultFirst;

    [JsonPropertyName("last")]
    public int Last { get; set; } = DefaultLast;
}
