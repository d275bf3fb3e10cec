using k8s.Models;

namespace Orchestrator.Api;

/// <summary>Reads Kubernetes' quantities as numbers.</summary>
public static class Quantities
{
    /// <summary>2^63-1, the largest quantity by Kubernetes' rules; whatever is written beyond it counts as this.</summary>
    public const decimal Largest = long.MaxValue;

    /// <returns>Null when the resource is not named.</returns>
    public static decimal? Find(IDictionary<string, ResourceQuantity>? quantities, string resource) =>
        quantities is not null && quantities.TryGetValue(resource, out var quantity) ? Number(quantity) : null;

    /// <returns>Null when there is none.</returns>
    public static decimal? Read(ResourceQuantity? quantity) => quantity is null ? null : Number(quantity);

    // The client library caps binary quantities only, and a decimal holds no 1e40.
    private static decimal Number(ResourceQuantity quantity) => quantity.ToBigInteger() >= long.MaxValue ? Largest : quantity.ToDecimal();
}
