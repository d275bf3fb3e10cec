using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Housekeeping;

/// <summary>
/// Owner references: what has lost all its owners is deleted; what has lost some forgets those. Owners are known by uid. A reference to a
/// kind that the server does not have counts as an owner that exists.
/// </summary>
internal sealed class GarbageCollector(ObjectStore store, ServedResources resources, ObjectWriter writer, FailedWrites failed)
{
    /// <summary>Deals with everything that names an owner which does not exist.</summary>
    public async Task CollectAsync(CancellationToken cancellationToken)
    {
        foreach (var owner in store.MissingOwners())
        {
            foreach (var key in store.Owned(owner))
            {
                await CollectAsync(key, cancellationToken);
            }
        }
    }

    /// <summary>Does for an object that is being deleted what its finalizers of the garbage collector ask for.</summary>
    public async Task FinishAsync(StorageKey key, CancellationToken cancellationToken)
    {
        if (resources.Find(key.Resource) is not { } resource || store.Get(key) is not { } stored)
        {
            return;
        }

        var owner = JsonText.Parse(stored.Json);
        var (finalizers, uid) = (Metadata.Finalizers(owner), Metadata.Of(owner).Text("uid"));
        if (finalizers.Contains(Metadata.OrphanFinalizer))
        {
            if (await OrphanAsync(uid, cancellationToken))
            {
                await RemoveFinalizerAsync(resource, key, Metadata.OrphanFinalizer, cancellationToken);
            }
        }
        else if (finalizers.Contains(Metadata.ForegroundFinalizer) && !await DeleteOwnedAsync(uid, cancellationToken))
        {
            await RemoveFinalizerAsync(resource, key, Metadata.ForegroundFinalizer, cancellationToken);
        }
    }

    private async Task CollectAsync(StorageKey key, CancellationToken cancellationToken)
    {
        if (resources.Find(key.Resource) is not { } resource || store.Get(key) is not { } stored)
        {
            return;
        }

        var obj = JsonText.Parse(stored.Json);
        failed.Note(
            key,
            Metadata.Owners(obj).Any(Exists)
                ? await KeepOwnersAsync(resource, key, Exists, cancellationToken)
                : await DeleteAsync(resource, key, obj, cancellationToken));
    }

    /// <returns>Whether nothing names the owner any more.</returns>
    private async Task<bool> OrphanAsync(string owner, CancellationToken cancellationToken)
    {
        var done = true;
        foreach (var key in store.Owned(owner))
        {
            if (resources.Find(key.Resource) is { } resource)
            {
                var updated = await KeepOwnersAsync(resource, key, reference => reference.Text("uid") != owner, cancellationToken);
                done &= !failed.Note(key, updated);
            }
        }

        return done;
    }

    /// <summary>Deletes what the owner alone owns; what has another owner too forgets this one.</summary>
    /// <returns>Whether any that block the owner are left.</returns>
    private async Task<bool> DeleteOwnedAsync(string owner, CancellationToken cancellationToken)
    {
        var blocked = false;
        foreach (var key in store.Owned(owner))
        {
            if (resources.Find(key.Resource) is not { } resource || store.Get(key) is not { } stored)
            {
                continue;
            }

            bool IsOther(JsonObject reference) => reference.Text("uid") != owner;
            var obj = JsonText.Parse(stored.Json);
            if (Metadata.Owners(obj).Any(reference => IsOther(reference) && Exists(reference)))
            {
                blocked |= failed.Note(key, await KeepOwnersAsync(resource, key, IsOther, cancellationToken));
                continue;
            }

            var deleted = await DeleteAsync(resource, key, obj, cancellationToken);
            blocked |= failed.Note(key, deleted) || (deleted is { Value.Gone: false } && Blocks(obj, owner));
        }

        return blocked;
    }

    /// <summary>Deletes an object in the state in which its owners were looked at: it may have got another one since.</summary>
    private Task<Outcome<Written>> DeleteAsync(
        ServedResource resource, StorageKey key, JsonObject obj, CancellationToken cancellationToken) => writer.DeleteAsync(
            resource,
            key,
            new DeleteOptions { Uid = Metadata.Of(obj).Text("uid"), ResourceVersion = Metadata.Of(obj).Text("resourceVersion") },
            cancellationToken);

    private Task<Outcome<Written>> KeepOwnersAsync(
        ServedResource resource, StorageKey key, Func<JsonObject, bool> wanted, CancellationToken cancellationToken) =>
        writer.UpdateAsync(resource, key, "", current => Keep(current, wanted), new WriteOptions(), cancellationToken);

    private async Task RemoveFinalizerAsync(
        ServedResource resource, StorageKey key, string finalizer, CancellationToken cancellationToken)
    {
        var updated = await writer.UpdateAsync(
            resource,
            key,
            "",
            current =>
            {
                var others = Metadata.Finalizers(current).Where(name => name != finalizer);
                Metadata.Of(current)["finalizers"] = new JsonArray([.. others.Select(name => (JsonNode)name)]);
                return current;
            },
            new WriteOptions(),
            cancellationToken);
        failed.Note(key, updated);
    }

    private bool Exists(JsonObject reference) =>
        !resources.HasKind(reference.Text("apiVersion"), reference.Text("kind")) || store.HasUid(reference.Text("uid"));

    private static Outcome<JsonObject> Keep(JsonObject current, Func<JsonObject, bool> wanted)
    {
        var kept = Metadata.Owners(current).Where(wanted).Select(reference => reference.DeepClone()).ToArray();
        Metadata.Set(Metadata.Of(current), "ownerReferences", kept.Length == 0 ? null : new JsonArray(kept));
        return current;
    }

    private static bool Blocks(JsonObject obj, string owner) => Metadata.Owners(obj).Any(reference =>
        reference.Text("uid") == owner && reference["blockOwnerDeletion"]?.GetValueKind() == JsonValueKind.True);
}
