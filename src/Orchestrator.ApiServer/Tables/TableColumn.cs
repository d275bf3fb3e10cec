using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Tables;

/// <summary>A column and how to fill its cells.</summary>
/// <param name="Type">An OpenAPI type, or date.</param>
/// <param name="Format">OpenAPI format; <c>name</c> marks the column of the name.</param>
/// <param name="Priority">0 is always shown, more only with <c>-o wide</c>.</param>
/// <param name="Cell">Null is a cell with nothing in it. Does not change the object; what it gives has no parent.</param>
internal sealed record TableColumn(
    string Name, string Type, string Format, string Description, int Priority, Func<JsonObject, DateTimeOffset, JsonNode?> Cell)
{
    public JsonObject ToDefinition() => new()
    {
        ["name"] = Name,
        ["type"] = Type,
        ["format"] = Format,
        ["description"] = Description,
        ["priority"] = Priority,
    };
}
