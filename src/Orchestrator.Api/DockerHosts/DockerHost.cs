using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Orchestrator.Api.DockerHosts;

/// <summary>A Docker engine that carries replicas. Cluster-wide. Spec by the user, status by the host agent.</summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = Plural)]
public sealed class DockerHost : IKubernetesObject<V1ObjectMeta>, ISpec<DockerHostSpec>, IStatus<DockerHostStatus?>
{
    public const string KubeKind = "DockerHost";
    public const string Plural = "dockerhosts";

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = ApiGroup.GroupVersion;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KubeKind;

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public DockerHostSpec Spec { get; set; } = new();

    [JsonPropertyName("status")]
    public DockerHostStatus? Status { get; set; }
}
