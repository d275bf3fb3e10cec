using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>
/// RFC 7386, <c>application/merge-patch+json</c>: objects merge, everything else replaces, null removes. It cannot fail on an
/// object and never makes one deeper than the deeper of its two.
/// </summary>
public static class MergePatch
{
    /// <param name="target">Is not changed.</param>
    /// <param name="patch">The body; anything but an object is refused, as in Kubernetes, since the result has to be an object.</param>
    public static PatchResult Apply(JsonObject target, JsonNode? patch)
    {
        if (patch is not JsonObject changes)
        {
            return PatchResult.Fail(PatchFailure.BadRequest, "error decoding patch: a merge patch must be a JSON object");
        }

        var result = (JsonObject)target.DeepClone();
        Merge(result, changes);
        return PatchResult.Of(result);
    }

    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is not JsonObject nested)
            {
                target[name] = value.DeepClone();
            }
            else if (target[name] is JsonObject existing)
            {
                Merge(existing, nested);
            }
            else
            {
                // Merged into nothing rather than copied: the nulls in it remove, and are not to be stored.
                var created = new JsonObject();
                Merge(created, nested);
                target[name] = created;
            }
        }
    }
}
