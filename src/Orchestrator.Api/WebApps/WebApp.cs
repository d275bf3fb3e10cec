using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// What a person asks for: N replicas of a web container, reachable by a route. Schema, defaults and limits are those of
/// <c>crds/webapps.yaml</c>.
/// </summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = Plural)]
public sealed class WebApp : IKubernetesObject<V1ObjectMeta>, ISpec<WebAppSpec>, IStatus<WebAppStatus?>
{
    public const string KubeKind = "WebApp";
    public const string Plural = "webapps";

    /// <summary>Kubernetes' default.</summary>
    private const int DefaultReplicas = 1;

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = ApiGroup.GroupVersion;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KubeKind;

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public WebAppSpec Spec { get; set; } = new();

    [JsonPropertyName("status")]
    public WebAppStatus? Status { get; set; }

    /// <summary>
    /// How many replicas there are to be: what the user says or, with autoscaling, what that has come to, within its bounds. Before it has come
    /// to anything, as many as there were to be: turning it on changes nothing by itself.
    /// </summary>
    [JsonIgnore]
    public int DesiredReplicas => Spec.Autoscaling is { } autoscaling
        ? Math.Clamp(
            Status?.Autoscaling?.DesiredReplicas ?? Status?.DesiredReplicas ?? Spec.Replicas ?? DefaultReplicas,
            autoscaling.LeastReplicas,
            autoscaling.MaxReplicas)
        : Spec.Replicas ?? DefaultReplicas;
}
