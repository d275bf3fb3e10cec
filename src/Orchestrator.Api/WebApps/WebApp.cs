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
}
