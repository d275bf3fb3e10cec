using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Orchestrator.Api.Replicas;

/// <summary>
/// One container of a WebApp. Created and deleted by the WebApp controller, bound by the scheduler, run by the host agent.
/// A deletionTimestamp is the mark to drain, whoever set it.
/// </summary>
[KubernetesEntity(Group = ApiGroup.Name, ApiVersion = ApiGroup.Version, Kind = KubeKind, PluralName = Plural)]
public sealed class Replica : IKubernetesObject<V1ObjectMeta>, ISpec<ReplicaSpec>, IStatus<ReplicaStatus?>
{
    public const string KubeKind = "Replica";
    public const string Plural = "replicas";

    [JsonPropertyName("apiVersion")]
    public string ApiVersion { get; set; } = ApiGroup.GroupVersion;

    [JsonPropertyName("kind")]
    public string Kind { get; set; } = KubeKind;

    [JsonPropertyName("metadata")]
    public V1ObjectMeta Metadata { get; set; } = new();

    [JsonPropertyName("spec")]
    public ReplicaSpec Spec { get; set; } = new();

    [JsonPropertyName("status")]
    public ReplicaStatus? Status { get; set; }
}
