using System.Text.Json.Nodes;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Manifests;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Applying;

/// <summary>Client-side apply, as kubectl does it: create what is not there, else patch what the manifest changed since it was last applied.</summary>
internal sealed class Applier(Session session, bool dryRun)
{
    /// <summary>kubectl's own name: `kubectl apply --server-side` takes over the fields of this manager, and only of this one.</summary>
    private const string FieldManager = "kubectl-client-side-apply";

    /// <summary>Tries against writers in between; kubectl's number.</summary>
    private const int MaxConflicts = 5;

    private string Query => $"?fieldManager={FieldManager}&fieldValidation=Strict{(dryRun ? "&dryRun=All" : "")}";

    /// <exception cref="ApiException">The server refused it.</exception>
    /// <exception cref="CommandException">It names no kind of the server's, or another namespace than the command line does.</exception>
    public async Task<Applied> ApplyAsync(Manifest manifest, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(manifest.ApiVersion, manifest.Kind, cancellationToken);
        var @namespace = NamespaceOf(manifest, kind);
        if (@namespace is not null)
        {
            manifest.Metadata["namespace"] = @namespace;
        }

        var wanted = LastApplied.Annotate(manifest.Content!);
        for (var conflicts = 0; ; conflicts++)
        {
            try
            {
                return await FindAsync(kind, @namespace, manifest.Name, cancellationToken) is { } live
                    ? await PatchAsync(kind, @namespace, manifest, wanted, live, cancellationToken)
                    : new(kind, Outcome.Created, await session.Api.SendAsync(
                        HttpMethod.Post, kind.Path(@namespace, null) + Query, wanted, ApiConnection.Json, cancellationToken));
            }
            catch (ApiException raced) when (raced is ConflictException or AlreadyExistsException && conflicts < MaxConflicts
                && manifest.Metadata["resourceVersion"] is null)
            {
                // Somebody wrote in between: decide anew on what is there now.
            }
        }
    }

    private async Task<Applied> PatchAsync(
        ResourceKind kind, string? @namespace, Manifest manifest, JsonObject wanted, JsonObject live, CancellationToken cancellationToken)
    {
        if (live["metadata"]?["deletionTimestamp"] is not null)
        {
            session.Terminal.Warn($"{kind.Label}/{manifest.Name} is being deleted; what is applied now goes with it: apply again when it is gone");
        }

        var original = LastApplied.Of(live);
        var patch = ThreeWayMerge.Patch(original, wanted, live);
        if (patch.Count == 0)
        {
            return new(kind, Outcome.Unchanged, live);
        }

        if (original is null)
        {
            session.Terminal.Warn(
                $"{kind.Label}/{manifest.Name} was not made by apply: fields that the manifest leaves out stay as they are");
        }

        var answer = await session.Api.SendAsync(
            HttpMethod.Patch, kind.Path(@namespace, manifest.Name) + Query, patch, ApiConnection.MergePatch, cancellationToken);
        return new(kind, Outcome.Configured, answer);
    }

    private async Task<JsonObject?> FindAsync(ResourceKind kind, string? @namespace, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await session.Api.GetAsync(kind.Path(@namespace, name), cancellationToken);
        }
        catch (NotFoundException)
        {
            return null;
        }
    }

    private string? NamespaceOf(Manifest manifest, ResourceKind kind)
    {
        if (!kind.Namespaced)
        {
            return null;
        }

        return manifest.Namespace is { } own && session.NamespaceGiven && own != session.Namespace
            ? throw CommandException.Failed($"the manifest says namespace \"{own}\", the command line \"{session.Namespace}\"")
            : manifest.Namespace ?? session.Namespace;
    }
}

internal enum Outcome
{
    Created,
    Configured,
    Unchanged,
}

/// <param name="Live">The object as the server has it now.</param>
internal sealed record Applied(ResourceKind Kind, Outcome Outcome, JsonObject Live)
{
    public string Name => (string?)Live["metadata"]?["name"] ?? "";

    public string? Namespace => (string?)Live["metadata"]?["namespace"];
}
