using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Keeps the templates of an app's last revisions as ControllerRevisions, so that an earlier one can be run again. As in
/// Kubernetes, <c>data</c> is what an undo patches the app with, and a revision that is wanted again gets the highest number.
/// </summary>
internal sealed class RevisionHistory(ResourceClient<V1ControllerRevision> client)
{
    public static string NameOf(WebApp app, string revision) => $"{app.Metadata.Name}-{revision}";

    /// <summary>Makes the revision the newest of the app's history and drops what is beyond the limit.</summary>
    /// <param name="template">Of the revision.</param>
    /// <param name="inUse">Revisions that replicas still run, or are to run again: never dropped.</param>
    /// <returns>The revisions that are kept.</returns>
    public async Task<IReadOnlySet<string>> EnsureAsync(
        WebApp app, string revision, ReplicaTemplate template, IReadOnlySet<string> inUse, CancellationToken cancellationToken)
    {
        var history = await ListAsync(app, cancellationToken);
        var newest = history.Count == 0 ? 0 : history.Max(entry => entry.Revision ?? 0);
        var known = history.Find(entry => entry.Metadata.Name == NameOf(app, revision));
        if (known is null)
        {
            try
            {
                history.Add(await client.CreateAsync(Entry(app, revision, template, newest + 1), cancellationToken));
            }
            catch (AlreadyExistsException)
            {
                // An earlier app of this name left it: the hash says that it is the same template.
                var taken = new { metadata = new { labels = OwnLabels(app), ownerReferences = new[] { OwnerOf(app) } }, revision = newest + 1 };
                history.Add(await client.MergePatchAsync(new(app.Metadata.NamespaceProperty, NameOf(app, revision)), taken, cancellationToken));
            }
        }
        else if (known.Revision != newest)
        {
            await client.MergePatchAsync(ObjectKey.Of(known), new { revision = newest + 1 }, cancellationToken);
            known.Revision = newest + 1;
        }

        var beyond = history
            .OrderByDescending(entry => entry.Revision)
            .Skip(1 + (app.Spec.RevisionHistoryLimit ?? WebAppSpec.DefaultRevisionHistoryLimit))
            .Where(entry => !inUse.Contains(RevisionOf(app, entry)))
            .ToList();
        foreach (var entry in beyond)
        {
            await client.DeleteAsync(ObjectKey.Of(entry), entry.Metadata.Uid, cancellationToken);
        }

        return history.Except(beyond).Select(entry => RevisionOf(app, entry)).ToHashSet(StringComparer.Ordinal);
    }

    public async Task DeleteAllAsync(WebApp app, CancellationToken cancellationToken)
    {
        foreach (var entry in await ListAsync(app, cancellationToken))
        {
            await client.DeleteAsync(ObjectKey.Of(entry), entry.Metadata.Uid, cancellationToken);
        }
    }

    private async Task<List<V1ControllerRevision>> ListAsync(WebApp app, CancellationToken cancellationToken)
    {
        var list = await client.ListAsync(app.Metadata.NamespaceProperty, StatusRollup.Selector(app.Metadata.Name), cancellationToken);
        return [.. list.Items.Where(entry => entry.GetController()?.Uid == app.Metadata.Uid)];
    }

    private static string RevisionOf(WebApp app, V1ControllerRevision entry) => entry.Metadata.Name[(app.Metadata.Name.Length + 1)..];

    private static V1ControllerRevision Entry(WebApp app, string revision, ReplicaTemplate template, long number) => new()
    {
        ApiVersion = $"{V1ControllerRevision.KubeGroup}/{V1ControllerRevision.KubeApiVersion}",
        Kind = V1ControllerRevision.KubeKind,
        Metadata = new V1ObjectMeta
        {
            Name = NameOf(app, revision),
            NamespaceProperty = app.Metadata.NamespaceProperty,
            Labels = OwnLabels(app, revision),
            OwnerReferences = [OwnerOf(app)],
        },
        Data = new RevisionData { Spec = template },
        Revision = number,
    };

    private static Dictionary<string, string> OwnLabels(WebApp app, string? revision = null)
    {
        var labels = new Dictionary<string, string> { [Labels.App] = app.Metadata.Name };
        if (revision is not null)
        {
            labels[Labels.Revision] = revision;
        }

        return labels;
    }

    private static V1OwnerReference OwnerOf(WebApp app) => ReplicaWrites.OwnerReferenceTo(app);
}
