using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Schema.Kinds;

namespace Orchestrator.ApiServer.Tables;

/// <summary>The columns of core/v1 Events. The name comes last, and only with <c>-o wide</c>.</summary>
internal static class EventColumns
{
    public static readonly IReadOnlyList<TableColumn> All =
    [
        BuiltinColumns.Text("Last Seen", "When it happened last.", (resource, now) => LastSeen(resource, now)),
        BuiltinColumns.Text("Type", "Normal or Warning.", (resource, _) => resource.Text("type") ?? ""),
        BuiltinColumns.Text("Reason", "What happened, in a word.", (resource, _) => resource.Text("reason") ?? ""),
        BuiltinColumns.Text("Object", "What it is about.", (resource, _) => Target(resource)),
        BuiltinColumns.Text("Subobject", "Part of the object.", (resource, _) => resource.Object("involvedObject").Text("fieldPath") ?? "", priority: 1),
        BuiltinColumns.Text("Source", "Who says so.", (resource, _) => Source(resource), priority: 1),
        BuiltinColumns.Text("Message", "What happened.", (resource, _) => (resource.Text("message") ?? "").Trim()),
        BuiltinColumns.Text("First Seen", "When it happened first.", (resource, now) => FirstSeen(resource, now), priority: 1),
        BuiltinColumns.Text("Count", "How often it happened.", (resource, _) => Count(resource), priority: 1),
        BuiltinColumns.Name with { Priority = 1 },
    ];

    private static string FirstSeen(JsonObject resource, DateTimeOffset now) =>
        HumanDuration.Since(resource.Text("firstTimestamp") ?? resource.Text("eventTime"), now);

    private static string LastSeen(JsonObject resource, DateTimeOffset now)
    {
        if (resource.Object("series") is { } series)
        {
            return HumanDuration.Since(series.Text("lastObservedTime"), now);
        }

        return resource.Text("lastTimestamp") is { } last ? HumanDuration.Since(last, now) : FirstSeen(resource, now);
    }

    private static JsonNode Count(JsonObject resource) =>
        resource.Object("series") is { } series ? series.Integer("count") ?? 0
        : resource.Integer("count") is { } count and > 0 ? count
        : 1;

    private static string Target(JsonObject resource)
    {
        var about = resource.Object("involvedObject");
        var kind = about.Text("kind")?.ToLowerInvariant() ?? "";
        return about.Text("name") is { Length: > 0 } name ? $"{kind}/{name}" : kind;
    }

    private static string Source(JsonObject resource)
    {
        var source = resource.Object("source");
        var (component, host) = (source.Text("component"), source.Text("host"));
        if (string.IsNullOrEmpty(component))
        {
            (component, host) = (resource.Text("reportingComponent"), resource.Text("reportingInstance"));
        }

        return string.IsNullOrEmpty(host) ? component ?? "" : $"{component}, {host}";
    }
}
