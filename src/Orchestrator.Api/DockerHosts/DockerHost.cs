using System.Text.Json.Serialization;
using k8s;
using k8s.Models;
using Orchestrator.Api.WebApps;

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

    /// <summary>By its label <see cref="TopologyKeys.Zone"/>; null: it has none, or an empty one.</summary>
    [JsonIgnore]
    public string? Zone =>
        Metadata.Labels is { } labels && labels.TryGetValue(TopologyKeys.Zone, out var zone) && zone.Length > 0 ? zone : null;
}
