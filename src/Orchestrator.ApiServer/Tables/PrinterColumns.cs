using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.Tables;

/// <summary>The columns of a CRD's <c>additionalPrinterColumns</c>, filled as apiextensions fills them.</summary>
internal static class PrinterColumns
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TableColumn Of(PrinterColumn column)
    {
        var path = JsonPath.Parse(column.JsonPath);
        var description = column.Description.Length > 0
            ? column.Description
            : $"Custom resource definition column (in JSONPath format): {column.JsonPath}";
        return new TableColumn(
            column.Name,
            column.Type,
            column.Format,
            description,
            column.Priority,
            (resource, now) => path.TryFindFirst(resource, out var value) && value is not null ? Cell(column.Type, value, now) : null);
    }

    private static JsonNode? Cell(string type, JsonNode value, DateTimeOffset now) => type switch
    {
        "string" => Print(value),
        "integer" => JsonNumber.TryRead(value, out var number) ? number.Integer ?? (long)number.Value : null,
        "number" => JsonNumber.TryRead(value, out var number) ? number.Value : null,
        "boolean" => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? value.DeepClone() : null,
        "date" => value.GetValueKind() == JsonValueKind.String ? HumanDuration.Since(value.GetValue<string>(), now) : null,
        _ => null,
    };

    private static string Print(JsonNode value) =>
        value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : value.ToJsonString(Readable);
}
