using System.Runtime.CompilerServices;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;

namespace Orchestrator.ControlPlane.Scheduling;

/// <summary>What the scheduler knows of a host itself, whatever runs on it. Immutable; made once for each version of the object.</summary>
internal sealed class HostSnapshot
{
    private static readonly ConditionalWeakTable<DockerHost, HostSnapshot> Made = [];

    private HostSnapshot(DockerHost host)
    {
        Name = host.Metadata.Name;
        NameHash = HostScore.HashOf(Name);
        Labels = host.Metadata.Labels ?? new Dictionary<string, string>();
        Taints = [.. host.Spec.Taints ?? []];
        IsReady = HostHealth.IsReady(host);
        IsCordoned = host.Spec.Unschedulable ?? false;
        IsLeaving = host.Metadata.DeletionTimestamp is not null;
        Cpu = Units.OfCores(Capacity(host, ResourceNeeds.Cpu));
        Memory = Units.OfBytes(Capacity(host, ResourceNeeds.Memory));
        FirstPort = host.Spec.PortRange?.First ?? PortRange.DefaultFirst;
        LastPort = host.Spec.PortRange?.Last ?? PortRange.DefaultLast;
        ImageBytes = (host.Status?.Images ?? [])
            .SelectMany(image => image.Names.Select(name => (Name: ImageNames.Normalize(name), image.SizeBytes)))
            .GroupBy(image => image.Name)
            .ToDictionary(image => image.Key, image => image.Max(named => named.SizeBytes));
    }

    public string Name { get; }

    public ulong NameHash { get; }

    public IDictionary<string, string> Labels { get; }

    public IReadOnlyList<V1Taint> Taints { get; }

    public bool IsReady { get; }

    public bool IsCordoned { get; }

    /// <summary>Being deleted.</summary>
    public bool IsLeaving { get; }

    /// <summary><see cref="Units"/> of cores; null when nobody has said.</summary>
    public long? Cpu { get; }

    /// <summary>Bytes; null when nobody has said.</summary>
    public long? Memory { get; }

    public int FirstPort { get; }

    public int LastPort { get; }

    /// <summary>Sizes of the images on the host, by normalized name.</summary>
    public IReadOnlyDictionary<string, long> ImageBytes { get; }

    public static HostSnapshot Of(DockerHost host) => Made.GetValue(host, static made => new HostSnapshot(made));

    /// <summary>The value of a topology label; every host has <see cref="TopologyKeys.Hostname"/>.</summary>
    public string? Domain(string topologyKey) =>
        Labels.TryGetValue(topologyKey, out var value) ? value : topologyKey == TopologyKeys.Hostname ? Name : null;

    // The user's word counts before the engine's, also while the agent has not taken it over into the status.
    private static decimal? Capacity(DockerHost host, string resource) =>
        Quantities.Find(host.Spec.Capacity, resource) ?? Quantities.Find(host.Status?.Capacity, resource);
}
