using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Objects;

/// <summary>What becomes of the objects that a deleted one owns.</summary>
internal enum Propagation
{
    /// <summary>They are deleted after it.</summary>
    Background,

    /// <summary>It stays, marked as being deleted, until those of them that block it are gone.</summary>
    Foreground,

    /// <summary>They stay, and forget it.</summary>
    Orphan,
}

/// <summary>How an object is to be deleted.</summary>
internal sealed record DeleteOptions
{
    public WriteOptions Write { get; init; } = new();

    /// <summary>Null leaves it to what was asked before, or to the default: background.</summary>
    public Propagation? Propagation { get; init; }

    /// <summary>Only the object with this uid.</summary>
    public string? Uid { get; init; }

    /// <summary>Only the object in this state.</summary>
    public string? ResourceVersion { get; init; }
}

internal static class DeletionRules
{
    public static Status? Check(ServedResource resource, StorageKey key, JsonObject current, DeleteOptions options)
    {
        var metadata = Metadata.Of(current);
        if (options.Uid is { Length: > 0 } uid && uid != metadata.Text("uid"))
        {
            return Status.Conflict(
                resource.Definition,
                key.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata.Text("uid")}");
        }

        if (options.ResourceVersion is { Length: > 0 } revision && revision != metadata.Text("resourceVersion"))
        {
            return Status.Conflict(
                resource.Definition,
                key.Name,
                $"Precondition failed: ResourceVersion in precondition: {revision}, "
                + $"ResourceVersion in object meta: {metadata.Text("resourceVersion")}");
        }

        return resource.IsNamespace && NamespaceRules.IsPermanent(key.Name)
            ? Status.Forbidden(resource.Definition, key.Name, "this namespace may not be deleted")
            : null;
    }

    /// <summary>Marks an object as being deleted, with the finalizers that the propagation asks for.</summary>
    public static void Mark(ServedResource resource, JsonObject obj, DeleteOptions options, DateTimeOffset now)
    {
        var metadata = Metadata.Of(obj);
        if (options.Propagation is { } propagation)
        {
            SetFinalizer(metadata, Metadata.OrphanFinalizer, propagation == Propagation.Orphan);
            SetFinalizer(metadata, Metadata.ForegroundFinalizer, propagation == Propagation.Foreground);
        }

        if (Metadata.IsTerminating(obj))
        {
            return;
        }

        metadata["deletionTimestamp"] = Metadata.Timestamp(now);
        metadata["deletionGracePeriodSeconds"] = 0L;
        UpdateRules.Raise(obj);
        if (resource.IsNamespace)
        {
            NamespaceRules.Terminate(obj);
        }
    }

    /// <summary>Whether an object is being deleted and nobody holds it back.</summary>
    public static bool IsFinished(ServedResource resource, JsonObject obj) =>
        Metadata.IsTerminating(obj)
        && Metadata.Finalizers(obj).Count == 0
        && !(resource.IsNamespace && NamespaceRules.HoldsBack(obj));

    private static void SetFinalizer(JsonObject metadata, string finalizer, bool wanted)
    {
        var finalizers = metadata["finalizers"] as JsonArray ?? [];
        var names = Metadata.Texts(finalizers);
        if (wanted == names.Contains(finalizer))
        {
            return;
        }

        var next = wanted ? names.Append(finalizer) : names.Where(name => name != finalizer);
        Metadata.Set(metadata, "finalizers", next.Any() ? new JsonArray([.. next.Select(name => (JsonNode)name)]) : null);
    }
}
