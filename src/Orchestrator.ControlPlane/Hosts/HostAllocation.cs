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
        Sum(bound, ResourceNeeds.Cpu),
        Sum(bound, ResourceNeeds.Memory));

    public bool IsIn(DockerHostStatus? status) =>
        status?.Replicas == Replicas
        && Quantities.Find(status.Allocated, ResourceNeeds.Cpu) == Cpu
        && Quantities.Find(status.Allocated, ResourceNeeds.Memory) == Memory;

    /// <summary>As people write quantities: <c>1500m</c>, <c>512Mi</c>.</summary>
    public IDictionary<string, ResourceQuantity> ToQuantities() => new Dictionary<string, ResourceQuantity>
    {
        [ResourceNeeds.Cpu] = new(Cores()),
        [ResourceNeeds.Memory] = new(Memory % Mebi == 0 && Memory > 0 ? Text(Memory / Mebi) + "Mi" : Text(Memory)),
    };

    // A sum is a quantity too: the schema takes none that is larger.
    private static decimal Sum(IEnumerable<Replica> bound, string resource) =>
        Math.Min(bound.Sum(replica => replica.Spec.Template.Resources?.Requested(resource) ?? 0), Quantities.Largest);

    private string Cores()
    {
        var thousandths = Cpu * 1000;
        return Cpu != decimal.Truncate(Cpu) && thousandths == decimal.Truncate(thousandths) && thousandths <= Quantities.Largest
            ? Text(thousandths) + "m"
            : Text(Cpu);
    }

    private static string Text(decimal number) => number.ToString("0.#########", CultureInfo.InvariantCulture);
}
