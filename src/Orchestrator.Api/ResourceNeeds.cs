using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api;

/// <summary>Kubernetes' resource requirements for <c>cpu</c> (cores) and <c>memory</c> (bytes), as quantities.</summary>
public sealed class ResourceNeeds
{
    public const string Cpu = "cpu";
    public const string Memory = "memory";

    [JsonPropertyName("requests")]
    public IDictionary<string, ResourceQuantity>? Requests { get; set; }

    [JsonPropertyName("limits")]
    public IDictionary<string, ResourceQuantity>? Limits { get; set; }

    /// <summary>
    /// What the scheduler counts for a resource: the request or, as in Kubernetes, the limit where only that is given.
    /// Null when neither is. Cores for <see cref="Cpu"/>, bytes for <see cref="Memory"/>.
    /// </summary>
    public decimal? Requested(string resource) => Quantities.Find(Requests, resource) ?? Quantities.Find(Limits, resource);

    /// <summary>What the engine enforces; null when unlimited. Cores for <see cref="Cpu"/>, bytes for <see cref="Memory"/>.</summary>
    public decimal? Limit(string resource) => Quantities.Find(Limits, resource);
}
