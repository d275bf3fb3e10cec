using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Objects;

/// <summary>Reading an object's metadata; what is absent, or of another type, is null or empty.</summary>
internal static class Metadata
{
    public const string OrphanFinalizer = "orphan";
    public const string ForegroundFinalizer = "foregroundDeletion";

    public static JsonObject Of(JsonObject obj) => obj["metadata"] as JsonObject ?? [];

    public static string Text(this JsonObject parent, string name) =>
        parent[name] is { } value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : "";

    public static IReadOnlyList<string> Finalizers(JsonObject obj) => Texts(Of(obj)["finalizers"]);

    public static IReadOnlyList<string> Texts(JsonNode? list) => list is JsonArray items
        ? [.. items.Where(item => item?.GetValueKind() == JsonValueKind.String).Select(item => item!.GetValue<string>())]
        : [];

    public static bool IsTerminating(JsonObject obj) => Of(obj)["deletionTimestamp"] is not null;

    public static IEnumerable<JsonObject> Owners(JsonObject obj) => (Of(obj)["ownerReferences"] as JsonArray ?? []).OfType<JsonObject>();

    public static IReadOnlyList<string> OwnerUids(JsonObject obj) =>
        [.. Owners(obj).Select(owner => owner.Text("uid")).Where(uid => uid.Length > 0).Distinct()];

    /// <summary>Absent and null are the same to all who ask.</summary>
    public static void Set(JsonObject parent, string name, JsonNode? value)
    {
        if (value is null)
        {
            parent.Remove(name);
        }
        else
        {
            parent[name] = value.DeepClone();
        }
    }

    /// <summary>RFC 3339 in whole seconds, as metadata has it.</summary>
    public static string Timestamp(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
