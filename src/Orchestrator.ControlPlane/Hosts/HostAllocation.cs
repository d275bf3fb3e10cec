using System.Globalization;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;

namespace Orchestrator.ControlPlane.Hosts;

/// <summary>What the Replicas bound to a host have been promised, those that are still being stopped included.</summary>
/// <param name="Cpu">Cores.</param>
/// <param name="Memory">Bytes.</param>
internal sealed record HostAllocation(int Replicas, decimal Cpu, decimal Memory)
{
    private const decimal Mebi = 1024 * 1024;

    public static HostAllocation Of(IReadOnlyCollection<Replica> bound) => new(
        bound.Count,
        bound.Sum(replica => replica.Spec.Template.Resources?.Requested(ResourceNeeds.Cpu) ?? 0),
        bound.Sum(replica => replica.Spec.Template.Resources?.Requested(ResourceNeeds.Memory) ?? 0));

    public bool IsIn(DockerHostStatus? status) =>
        status is { Allocated: { } allocated }
        && status.Replicas == Replicas
        && allocated.TryGetValue(ResourceNeeds.Cpu, out var cpu) && cpu.ToDecimal() == Cpu
        && allocated.TryGetValue(ResourceNeeds.Memory, out var memory) && memory.ToDecimal() == Memory;

    /// <summary>As people write quantities: <c>1500m</c>, <c>512Mi</c>.</summary>
    public IDictionary<string, ResourceQuantity> ToQuantities() => new Dictionary<string, ResourceQuantity>
    {
        [ResourceNeeds.Cpu] = new(Cpu == decimal.Truncate(Cpu) ? Text(Cpu) : Cpu * 1000 == decimal.Truncate(Cpu * 1000) ? Text(Cpu * 1000) + "m" : Text(Cpu)),
        [ResourceNeeds.Memory] = new(Memory % Mebi == 0 && Memory > 0 ? Text(Memory / Mebi) + "Mi" : Text(Memory)),
    };

    private static string Text(decimal number) => number.ToString("0.#########", CultureInfo.InvariantCulture);
}
