using System.Text.Json.Serialization;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// How many of an app's replicas must be left to serve by whatever takes some away that could stay (Kubernetes' PodDisruptionBudget,
/// as a part of the app). One of the two, each a number of replicas or a percentage of the wanted ones.
/// </summary>
public sealed class Disruption
{
    [JsonPropertyName("minAvailable")]
    public IntOrString? MinAvailable { get; set; }

    [JsonPropertyName("maxUnavailable")]
    public IntOrString? MaxUnavailable { get; set; }
}
