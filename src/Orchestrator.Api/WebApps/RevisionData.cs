using System.Text.Json.Serialization;

namespace Orchestrator.Api.WebApps;

/// <summary>The <c>data</c> of a ControllerRevision, as in Kubernetes a patch of the app: what an undo writes back.</summary>
public sealed class RevisionData
{
    [JsonPropertyName("spec")]
    public ReplicaTemplate? Spec { get; set; }
}
