using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Output;

/// <summary>What people read of a Kubernetes Event.</summary>
internal sealed record EventView(DateTimeOffset? LastSeen, string Type, string Reason, string About, int Count, string Message, string Namespace)
{
    public static EventView Of(JsonObject obj)
    {
        var about = obj["involvedObject"];
        return new(
            Time(obj["series"]?["lastObservedTime"]) ?? Time(obj["lastTimestamp"]) ?? Time(obj["eventTime"]) ?? Time(obj["metadata"]?["creationTimestamp"]),
            (string?)obj["type"] ?? "",
            (string?)obj["reason"] ?? "",
            $"{((string?)about?["kind"] ?? "").ToLowerInvariant()}/{(string?)about?["name"]}",
            (int?)obj["series"]?["count"] ?? (int?)obj["count"] ?? 1,
            ((string?)obj["message"] ?? "").Trim().ReplaceLineEndings(" "),
            (string?)obj["metadata"]?["namespace"] ?? "");
    }

    public string Age(TimeProvider time) => LastSeen is { } seen ? Durations.Age(time.GetUtcNow() - seen) : "<unknown>";

    private static DateTimeOffset? Time(JsonNode? node) =>
        (string?)node is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
