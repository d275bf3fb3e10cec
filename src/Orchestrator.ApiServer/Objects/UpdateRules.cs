using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Schema;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Objects;

/// <summary>What an update may change, and what stays or is counted whatever the client sends.</summary>
internal static class UpdateRules
{
    /// <summary>Fields of metadata that only the server writes. Who manages which field is not kept yet: managedFields are dropped.</summary>
    public static readonly string[] ServersFields =
    [
        "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "resourceVersion", "selfLink",
        "managedFields",
    ];

    /// <summary>Whether the update is about this very object in this very state.</summary>
    public static Status? Check(ServedResource resource, StorageKey key, JsonObject current, JsonObject next)
    {
        var definition = resource.Definition;
        if (next["metadata"] is not null and not JsonObject)
        {
            return Status.BadRequest("metadata must be an object");
        }

        var (was, now) = (Metadata.Of(current), Metadata.Of(next));
        if (now.Text("uid") is { Length: > 0 } uid && uid != was.Text("uid"))
        {
            return Status.Conflict(
                definition, key.Name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {was.Text("uid")}");
        }

        if (now.Text("name") != key.Name)
        {
            return Status.Invalid(
                definition, key.Name, [FieldError.Invalid("metadata.name", now.Text("name"), "field is immutable")]);
        }

        if (now.Text("namespace") is { Length: > 0 } @namespace && @namespace != key.Namespace)
        {
            return Status.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        return now.Text("resourceVersion") switch
        {
            "" or "0" when definition.IsCustom || definition.Kind == "Lease" => Status.Invalid(
                definition, key.Name, [FieldError.Invalid("metadata.resourceVersion", 0, "must be specified for an update")]),
            "" or "0" => null,
            var revision when revision != was.Text("resourceVersion") => Status.Modified(definition, key.Name),
            _ => null,
        };
    }

    /// <summary>Puts back what the client cannot change by this request.</summary>
    /// <returns>The object to store; may be <paramref name="next"/>.</returns>
    public static JsonObject Keep(ServedResource resource, string subresource, JsonObject current, JsonObject next)
    {
        if (subresource is "status" or "finalize")
        {
            var kept = (JsonObject)current.DeepClone();
            if (subresource == "status")
            {
                Metadata.Set(kept, "status", next["status"]);
            }
            else
            {
                Metadata.Set(kept, "spec", next["spec"]);
            }

            return kept;
        }

        if (resource.Definition.HasStatus)
        {
            Metadata.Set(next, "status", current["status"]);
        }

        if (resource.IsNamespace)
        {
            Metadata.Set(next, "spec", current["spec"]);
        }

        var (was, now) = (Metadata.Of(current), Metadata.Of(next));
        foreach (var ours in ServersFields)
        {
            Metadata.Set(now, ours, was[ours]);
        }

        Metadata.Set(now, "namespace", was["namespace"]);
        return next;
    }

    /// <summary>Once an object is being deleted, nobody new may hold it back.</summary>
    public static void CheckFinalizers(JsonObject next, JsonObject current, FieldErrors errors)
    {
        if (!Metadata.IsTerminating(current))
        {
            return;
        }

        var added = Metadata.Finalizers(next).Except(Metadata.Finalizers(current)).ToList();
        if (added.Count > 0)
        {
            errors.Add(FieldError.Forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{"
                + string.Join(", ", added.Select(name => $"\"{name}\"")) + "}"));
        }
    }

    /// <summary>A write that changes nothing is not stored: same resourceVersion, no event.</summary>
    public static bool IsSame(JsonObject current, JsonObject next) => JsonNode.DeepEquals(current, next);

    /// <summary>Raises the generation of a custom resource if anything but metadata and status changes.</summary>
    public static void Count(ServedResource resource, JsonObject current, JsonObject next)
    {
        if (!resource.Definition.IsCustom || SameDesiredState(current, next))
        {
            return;
        }

        Raise(next);
    }

    public static void Raise(JsonObject obj)
    {
        var metadata = Metadata.Of(obj);
        if (metadata["generation"] is JsonValue generation && generation.TryGetValue(out long count))
        {
            metadata["generation"] = count + 1;
        }
    }

    private static bool SameDesiredState(JsonObject current, JsonObject next)
    {
        static IEnumerable<KeyValuePair<string, JsonNode?>> Desired(JsonObject obj) =>
            obj.Where(member => member.Key is not ("metadata" or "status"));
        return Desired(current).Count() == Desired(next).Count()
            && Desired(next).All(member => current.TryGetPropertyValue(member.Key, out var was) && JsonNode.DeepEquals(was, member.Value));
    }
}
