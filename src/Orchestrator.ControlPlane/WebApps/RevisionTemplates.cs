using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>Finds the template of a revision of an app that may be another than is asked for.</summary>
internal sealed class RevisionTemplates(ResourceClient<V1ControllerRevision> history)
{
    /// <returns>Null when neither the target, a replica nor the history has it: somebody has removed it there.</returns>
    public async Task<ReplicaTemplate?> FindAsync(
        WebApp app, RolloutTarget target, string revision, IReadOnlyList<ReplicaView> live, CancellationToken cancellationToken)
    {
        if (target.Template is { } asked && RevisionHash.Of(asked) == revision)
        {
            return asked;
        }

        if (live.FirstOrDefault(view => view.Replica.Spec.Revision == revision) is { } view)
        {
            return view.Replica.Spec.Template;
        }

        var entry = await history.GetAsync(new(app.Metadata.NamespaceProperty, RevisionHistory.NameOf(app, revision)), cancellationToken);
        return entry?.GetController()?.Uid == app.Metadata.Uid ? TemplateOf(entry) : null;
    }

    /// <summary>What <see cref="RevisionHistory"/> has kept; what somebody else made of it is not run.</summary>
    private static ReplicaTemplate? TemplateOf(V1ControllerRevision entry)
    {
        var kept = KubernetesJson.Deserialize<RevisionData>(KubernetesJson.Serialize(entry.Data)).Spec;
        return kept is not null && entry.Metadata.Name.EndsWith("-" + RevisionHash.Of(kept), StringComparison.Ordinal) ? kept : null;
    }
}
