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
        HeldBackUntil = host.Status?.Flapping?.Until;
        IsCordoned = host.Spec.IsCordoned;
        IsDrained = host.Spec.Drain ?? false;
        IsLeaving = host.Metadata.DeletionTimestamp is not null;
        Architecture = host.Status?.Architecture;
        Cpu = Units.OfCores(Allocatable(host, ResourceNeeds.Cpu));
        Memory = Units.OfBytes(Allocatable(host, ResourceNeeds.Memory));
        FirstPort = host.Spec.PortRange?.First ?? PortRange.DefaultFirst;
        LastPort = host.Spec.PortRange?.Last ?? PortRange.DefaultLast;
        ImageBytes = (host.Status?.Images ?? [])
            .SelectMany(image => image.Names.Select(name => (Name: ImageNames.Normalize(name), image.SizeBytes)))
            .GroupBy(image => image.Name)
            .ToDictionary(image => image.Key, image => image.Max(named => named.SizeBytes));
    }

    public string Name { get; }

    public ulong NameHash { get; }

    /// <summary>Those that the object carries; see <see cref="Label"/>.</summary>
    public IDictionary<string, string> Labels { get; }

    public IReadOnlyList<V1Taint> Taints { get; }

    public bool IsReady { get; }

    /// <summary>It has failed again and again, and is given nothing new before; may have passed. Null when there is no such time.</summary>
    public DateTime? HeldBackUntil { get; }

    public bool IsCordoned { get; }

    /// <summary>To be emptied, and cordoned for that.</summary>
    public bool IsDrained { get; }

    /// <summary>Being deleted.</summary>
    public bool IsLeaving { get; }

    /// <summary>Null when the engine has not said.</summary>
    public string? Architecture { get; }

    /// <summary><see cref="Units"/> of cores that replicas may request; null when nobody has said.</summary>
    public long? Cpu { get; }

    /// <summary>Bytes, the same way.</summary>
    public long? Memory { get; }

    public int FirstPort { get; }

    public int LastPort { get; }

    /// <summary>Sizes of the images on the host, by normalized name.</summary>
    public IReadOnlyDictionary<string, long> ImageBytes { get; }

    public static HostSnapshot Of(DockerHost host) => Made.GetValue(host, static made => new HostSnapshot(made));

    /// <summary>The value of a label, of those too that need not be set (<see cref="TopologyKeys"/>); null where it has none.</summary>
    public string? Label(string key) =>
        Labels.TryGetValue(key, out var value) ? value
        : key == TopologyKeys.Hostname ? Name
        : key == TopologyKeys.Architecture ? Architecture
        : null;

    private static decimal? Allocatable(DockerHost host, string resource) =>
        Capacity(host, resource) - (Quantities.Find(host.Spec.Reserved, resource) ?? 0);

    // The user's word counts before the engine's, also while the agent has not taken it over into the status.
    private static decimal? Capacity(DockerHost host, string resource) =>
        Quantities.Find(host.Spec.Capacity, resource) ?? Quantities.Find(host.Status?.Capacity, resource);
}
