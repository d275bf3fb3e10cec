using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Reading members whose types a schema has checked.</summary>
internal static class Fields
{
    public const string Immutable = "field is immutable";

    public static JsonObject? Object(this JsonObject? parent, string name) => parent?[name] as JsonObject;

    public static IEnumerable<(JsonNode? Item, int Index)> Items(this JsonObject? parent, string name) =>
        (parent?[name] as JsonArray ?? []).Select((item, index) => (item, index));

    public static string? Text(this JsonObject? parent, string name) =>
        parent?[name] is { } node && node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;

    public static long? Integer(this JsonObject? parent, string name) =>
        JsonNumber.TryRead(parent?[name], out var number) ? number.Integer : null;

    public static bool Flag(this JsonObject? parent, string name) => parent?[name]?.GetValueKind() == JsonValueKind.True;
}
