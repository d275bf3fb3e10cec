using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Schema.Documents;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Objects;

/// <summary>An object as it is after a write.</summary>
/// <param name="Json">Complete, resourceVersion included; of a dry run as it would be.</param>
/// <param name="Gone">The write was the last one: the object has no finalizers left and no longer exists.</param>
internal sealed record Written(byte[] Json, bool Gone = false);

/// <summary>
/// Creates and changes objects by Kubernetes' rules: the one way into the store, for requests and for the server's own work alike. A change
/// is a function from the current state to the next, run again whenever somebody else was faster.
/// </summary>
internal sealed class ObjectWriter(ObjectStore store, TimeProvider time)
{
    /// <summary>Rounds against faster writers before giving up. Each means that another write succeeded.</summary>
    private const int MostRounds = 100;

    private const int DeletedTogether = 64;

    private const int SuffixLength = 5;
    private const int LongestGeneratedPrefix = 63 - SuffixLength;

    /// <summary>Kubernetes' alphabet for generated names: no vowels, no digits that look like letters.</summary>
    private const string SuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <param name="obj">Decoded and with the resource's apiVersion and kind; is changed.</param>
    public async Task<Outcome<Written>> CreateAsync(
        ServedResource resource, string @namespace, JsonObject obj, WriteOptions options, CancellationToken cancellationToken)
    {
        var definition = resource.Definition;
        if (Prepare(resource, @namespace, obj) is { } refused)
        {
            return refused;
        }

        var metadata = Metadata.Of(obj);
        var isGenerated = metadata.Text("name").Length == 0 && metadata.Text("generateName").Length > 0;
        if (isGenerated)
        {
            // Before the object is checked: a made name is held to the rules as one that is sent.
            metadata["name"] = GenerateName(metadata);
        }

        if (Complete(resource, obj, null, options) is { } invalid)
        {
            return invalid;
        }

        for (var round = 0; ; round++)
        {
            var name = metadata.Text("name");
            if (resource.IsNamespace)
            {
                NamespaceRules.Label(obj, name);
            }

            var encoded = EncodedObject.From(obj);
            if (TooLarge(encoded) is { } tooLarge)
            {
                return tooLarge;
            }

            var result = await store.WriteAsync(Request(resource.Key(@namespace, name), null, obj, encoded, options), cancellationToken);
            switch (result.Outcome)
            {
                case WriteOutcome.Written:
                    return new Written(result.Stored?.Json ?? WithoutRevision(obj));
                case WriteOutcome.NamespaceNotFound:
                    return Status.NamespaceNotFound(@namespace);
                case WriteOutcome.NamespaceTerminating:
                    return Status.NamespaceTerminating(definition, name, @namespace);
                case WriteOutcome.AlreadyExists when !isGenerated || round == MostRounds:
                    return Status.AlreadyExists(definition, name);
            }

            // As long as the one that is taken, and of the same letters: as valid.
            metadata["name"] = GenerateName(metadata);
        }
    }

    /// <param name="change">Given the current state, which it may change and return, gives the next.</param>
    public async Task<Outcome<Written>> UpdateAsync(
        ServedResource resource,
        StorageKey key,
        string subresource,
        Func<JsonObject, Outcome<JsonObject>> change,
        WriteOptions options,
        CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            if (store.Get(key) is not { } stored)
            {
                return Status.NotFound(resource.Definition, key.Name);
            }

            var current = JsonText.Parse(stored.Json);
            var changed = change(JsonText.Parse(stored.Json));
            if (changed.Failed)
            {
                return changed.Failure;
            }

            var next = changed.Value;
            if (UpdateRules.Check(resource, key, current, next) is { } refused)
            {
                return refused;
            }

            next = UpdateRules.Keep(resource, subresource, current, next);
            if (Complete(resource, next, current, options) is { } invalid)
            {
                return invalid;
            }

            if (resource.IsNamespace)
            {
                NamespaceRules.Label(next, key.Name);
            }

            if (UpdateRules.IsSame(current, next))
            {
                return new Written(stored.Json);
            }

            UpdateRules.Count(resource, current, next);
            var gone = DeletionRules.IsFinished(resource, next);
            var encoded = EncodedObject.From(next);
            if (TooLarge(encoded) is { } tooLarge)
            {
                return tooLarge;
            }

            var request = Request(key, stored, next, encoded, options) with { Delete = gone };
            var result = await store.WriteAsync(request, cancellationToken);
            switch (result.Outcome)
            {
                case WriteOutcome.Written:
                    return new Written(result.Stored?.Json ?? encoded.WithRevision(stored.Revision), gone);
                case WriteOutcome.NotFound:
                    return Status.NotFound(resource.Definition, key.Name);
            }
        }

        return Status.Modified(resource.Definition, key.Name);
    }

    /// <summary>Deletes an object, or, where something must happen first, marks it as being deleted.</summary>
    public async Task<Outcome<Written>> DeleteAsync(
        ServedResource resource, StorageKey key, DeleteOptions options, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            if (store.Get(key) is not { } stored)
            {
                return Status.NotFound(resource.Definition, key.Name);
            }

            var current = JsonText.Parse(stored.Json);
            if (DeletionRules.Check(resource, key, current, options) is { } refused)
            {
                return refused;
            }

            var next = JsonText.Parse(stored.Json);
            DeletionRules.Mark(resource, next, options, time.GetUtcNow());
            var gone = DeletionRules.IsFinished(resource, next);
            if (!gone && UpdateRules.IsSame(current, next))
            {
                return new Written(stored.Json);
            }

            var request = Request(key, stored, gone ? current : next, EncodedObject.From(gone ? current : next), options.Write) with
            {
                Delete = gone,
            };
            var result = await store.WriteAsync(request, cancellationToken);
            switch (result.Outcome)
            {
                case WriteOutcome.Written:
                    return new Written(result.Stored?.Json ?? stored.Json, gone);
                case WriteOutcome.NotFound:
                    return Status.NotFound(resource.Definition, key.Name);
            }
        }

        return Status.Modified(resource.Definition, key.Name);
    }

    /// <summary>Deletes objects side by side, so that they share the store's flushes.</summary>
    /// <returns>What became of each.</returns>
    public async Task<IReadOnlyList<(StoredObject Item, Outcome<Written> Result)>> DeleteAllAsync(
        ServedResource resource, IEnumerable<StoredObject> items, DeleteOptions options, CancellationToken cancellationToken)
    {
        var results = new List<(StoredObject, Outcome<Written>)>();
        foreach (var batch in items.Chunk(DeletedTogether))
        {
            var deleted = await Task.WhenAll(batch.Select(item => DeleteAsync(resource, item.Key, options, cancellationToken)));
            results.AddRange(batch.Zip(deleted));
        }

        return results;
    }

    /// <summary>What the server decides of a new object.</summary>
    private Status? Prepare(ServedResource resource, string @namespace, JsonObject obj)
    {
        var definition = resource.Definition;
        var metadata = Metadata.Of(obj);
        if (metadata.Text("resourceVersion") is not "" and not "0")
        {
            return Status.BadRequest("resourceVersion should not be set on objects to be created");
        }

        if (definition.Namespaced && metadata.Text("namespace") is { Length: > 0 } given && given != @namespace)
        {
            return Status.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        obj["metadata"] = metadata;
        metadata.Remove("namespace");
        if (definition.Namespaced)
        {
            metadata["namespace"] = @namespace;
        }

        foreach (var ours in UpdateRules.ServersFields)
        {
            metadata.Remove(ours);
        }

        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Metadata.Timestamp(time.GetUtcNow());
        if (definition.IsCustom)
        {
            metadata["generation"] = 1L;
        }

        if (definition.HasStatus)
        {
            obj.Remove("status");
        }

        if (resource.IsNamespace)
        {
            NamespaceRules.Activate(obj);
        }

        return null;
    }

    /// <summary>Prunes, defaults and validates.</summary>
    private static Status? Complete(ServedResource resource, JsonObject obj, JsonObject? old, WriteOptions options)
    {
        if (options.Report(resource.Schema.Prune(obj)) is { } strict)
        {
            return strict;
        }

        resource.Schema.Default(obj);
        var errors = resource.Schema.Validate(obj, old);
        if (old is not null)
        {
            UpdateRules.CheckFinalizers(obj, old, errors);
        }

        return errors.Count == 0 ? null : Status.Invalid(resource.Definition, Metadata.Of(obj).Text("name"), errors);
    }

    /// <summary>Bodies are bounded, but many small patches could make a large object all the same.</summary>
    private static Status? TooLarge(EncodedObject encoded) => encoded.Length > DocumentLimits.Default.MaxBytes
        ? Status.TooLarge($"Request entity too large: limit is {DocumentLimits.Default.MaxBytes}")
        : null;

    private static WriteRequest Request(
        StorageKey key, StoredObject? expected, JsonObject obj, EncodedObject encoded, WriteOptions options) => new()
        {
            Key = key,
            Expected = expected,
            Object = encoded,
            Uid = Metadata.Of(obj).Text("uid"),
            Owners = Metadata.OwnerUids(obj),
            Terminating = Metadata.IsTerminating(obj),
            DryRun = options.DryRun,
        };

    private static byte[] WithoutRevision(JsonObject obj) => System.Text.Encoding.UTF8.GetBytes(obj.ToJsonString());

    private static string GenerateName(JsonObject metadata)
    {
        var prefix = metadata.Text("generateName");
        return prefix[..Math.Min(prefix.Length, LongestGeneratedPrefix)] + RandomNumberGenerator.GetString(SuffixAlphabet, SuffixLength);
    }
}
