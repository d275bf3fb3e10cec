using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>One operation of RFC 6902, read and well formed.</summary>
/// <param name="From">Set for move and copy.</param>
/// <param name="Value">Of add, replace and test; null is a value.</param>
internal sealed record JsonPatchOperation(string Name, JsonPointer Path, JsonPointer? From, JsonNode? Value)
{
    public const string Add = "add", Remove = "remove", Replace = "replace", Move = "move", Copy = "copy", Test = "test";

    public static bool TryRead(
        JsonNode? node,
        [NotNullWhen(true)] out JsonPatchOperation? operation,
        [NotNullWhen(false)] out string? error)
    {
        (operation, error) = (null, null);
        if (node is not JsonObject fields)
        {
            error = "must be an object";
            return false;
        }

        var name = Text(fields["op"]);
        if (name is not (Add or Remove or Replace or Move or Copy or Test))
        {
            error = name is null ? "has no \"op\"" : $"unexpected kind: {name}";
            return false;
        }

        if (!TryPointer(fields, "path", out var path, out error))
        {
            return false;
        }

        JsonPointer? from = null;
        if (name is Move or Copy && !TryPointer(fields, "from", out from, out error))
        {
            return false;
        }

        if (name is Add or Replace or Test && !fields.ContainsKey("value"))
        {
            error = $"{name} has no \"value\"";
            return false;
        }

        operation = new JsonPatchOperation(name, path, from, fields["value"]);
        return true;
    }

    private static bool TryPointer(
        JsonObject fields,
        string name,
        [NotNullWhen(true)] out JsonPointer? pointer,
        [NotNullWhen(false)] out string? error)
    {
        (pointer, error) = (null, null);
        if (Text(fields[name]) is not { } text)
        {
            error = $"has no \"{name}\"";
            return false;
        }

        pointer = JsonPointer.Parse(text);
        if (pointer is null)
        {
            error = $"\"{name}\" is not a JSON pointer: \"{text}\"";
            return false;
        }

        return true;
    }

    private static string? Text(JsonNode? node) => node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
}
