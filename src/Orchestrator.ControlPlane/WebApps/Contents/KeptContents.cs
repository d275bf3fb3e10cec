using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps.Contents;

/// <summary>
/// Keeps each revision's content in an immutable Secret of the app's (<see cref="RevisionContent"/>), for as long as its history or a
/// replica has the revision: one revision, one content, whatever becomes of the ConfigMaps.
/// </summary>
internal sealed class KeptContents
{
    /// <summary>Index of the kept contents by their app's uid.</summary>
    private const string ByApp = "app";

    private readonly Informer<V1Secret> _secrets;
    private readonly ContentClient _client;

    public KeptContents(Informer<V1Secret> secrets, ContentClient client)
    {
        (_secrets, _client) = (secrets, client);
        secrets.AddIndex(ByApp, secret => OwnerOf(secret) is { } owner ? [owner.Uid] : []);
    }

    public bool Has(WebApp app, string revision) =>
        _secrets.Get(KeyOf(app, revision)) is { } secret && OwnerOf(secret)?.Uid == app.Metadata.Uid;

    /// <exception cref="ContentNameTakenException">A Secret of the name is somebody else's.</exception>
    public async Task KeepAsync(WebApp app, string revision, RevisionContent content, CancellationToken cancellationToken)
    {
        try
        {
            _secrets.Seed(await CreateAsync(app, revision, content, cancellationToken));
        }
        catch (AlreadyExistsException)
        {
            var there = await _client.GetSecretAsync(KeyOf(app, revision), cancellationToken);
            if (there is not null && there.Type != RevisionContent.SecretType)
            {
                throw new ContentNameTakenException(there.Metadata.Name, there.Type);
            }

            if (there is not null && OwnerOf(there)?.Uid == app.Metadata.Uid)
            {
                // Of an earlier try, whose answer was lost.
                _secrets.Seed(EssenceOf(there));
                return;
            }

            // Of an earlier app of this name: what did not count for its hash may have been something else.
            if (there is not null)
            {
                await _client.DeleteSecretAsync(KeyOf(app, revision), there.Metadata.Uid, cancellationToken);
            }

            _secrets.Seed(await CreateAsync(app, revision, content, cancellationToken));
        }
    }

    /// <summary>Drops what no revision needs any more.</summary>
    public async Task DeleteOthersAsync(WebApp app, IReadOnlySet<string> revisions, CancellationToken cancellationToken)
    {
        var names = revisions.Select(revision => RevisionContent.NameOf(app.Metadata.Name, revision)).ToHashSet(StringComparer.Ordinal);
        foreach (var other in _secrets.ByIndex(ByApp, app.Metadata.Uid).Where(secret => !names.Contains(secret.Metadata.Name)))
        {
            await _client.DeleteSecretAsync(ObjectKey.Of(other), other.Metadata.Uid, cancellationToken);
        }
    }

    /// <summary>Drops all but those of some revisions, also what the cache has not seen: afterwards nobody would.</summary>
    public async Task DeleteAllAsync(WebApp app, IReadOnlySet<string> butOf, CancellationToken cancellationToken)
    {
        var found = await _client.ListSecretsAsync(app.Metadata.NamespaceProperty, StatusRollup.Selector(app.Metadata.Name), cancellationToken);
        foreach (var secret in found.Where(secret => OwnerOf(secret)?.Uid == app.Metadata.Uid && !butOf.Contains(secret.GetLabel(Labels.Revision))))
        {
            await _client.DeleteSecretAsync(ObjectKey.Of(secret), secret.Metadata.Uid, cancellationToken);
        }
    }

    /// <summary>The app of a kept content; null for any other Secret, an app's own ones included, which its user may have given it.</summary>
    private static V1OwnerReference? OwnerOf(V1Secret secret) =>
        secret.GetController() is { Kind: WebApp.KubeKind } owner && secret.GetLabel(Labels.Revision) is { } revision
            && secret.Metadata.Name == RevisionContent.NameOf(owner.Name, revision) ? owner : null;

    private static ObjectKey KeyOf(WebApp app, string revision) => new(app.Metadata.NamespaceProperty, RevisionContent.NameOf(app.Metadata.Name, revision));

    private static V1Secret EssenceOf(V1Secret secret) => new() { Metadata = ContentMetadata.Essence(secret.Metadata) };

    private async Task<V1Secret> CreateAsync(WebApp app, string revision, RevisionContent content, CancellationToken cancellationToken) => EssenceOf(
        await _client.CreateSecretAsync(
            new V1Secret
            {
                Metadata = new V1ObjectMeta
                {
                    Name = RevisionContent.NameOf(app.Metadata.Name, revision),
                    NamespaceProperty = app.Metadata.NamespaceProperty,
                    Labels = new Dictionary<string, string> { [Labels.App] = app.Metadata.Name, [Labels.Revision] = revision },
                    OwnerReferences = [ReplicaWrites.OwnerReferenceTo(app)],
                },
                Type = RevisionContent.SecretType,
                Immutable = true,
                Data = content.Encode(),
            },
            cancellationToken));
}

/// <summary>The name that a revision's content must have is taken.</summary>
internal sealed class ContentNameTakenException(string name, string? type) : Exception(
    $"Secret \"{name}\" is of type {type ?? "Opaque"} and not ours, and the content of the revision has to be kept under this name: remove or rename it");
