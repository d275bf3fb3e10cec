using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Output;

/// <summary>Prints the tables that the server makes of its objects: the columns are those of the CRDs.</summary>
/// <param name="prefix">Put before names, as <c>webapp.orchestrator.dev/</c>, where several kinds are printed.</param>
internal sealed class ServerTable(Terminal terminal, bool wide, bool withNamespace, bool withHeadings, string prefix)
{
    private TextTable? _table;
    private IReadOnlyList<int> _columns = [];

    public int Rows { get; private set; }

    /// <param name="answer">A meta.k8s.io/v1 Table; one of a watch may have no columns: they are those of the one before.</param>
    public void Add(JsonObject answer)
    {
        if (_table is null && answer["columnDefinitions"] is JsonArray definitions)
        {
            _columns = [.. Enumerable.Range(0, definitions.Count).Where(i => wide || ((int?)definitions[i]!["priority"] ?? 0) == 0)];
            var names = _columns.Select(i => ((string?)definitions[i]!["name"] ?? "").ToUpperInvariant());
            _table = new TextTable(terminal, [.. withNamespace ? ["NAMESPACE"] : Array.Empty<string>(), .. names]);
            if (!withHeadings)
            {
                _table.OmitHeadings();
            }
        }

        foreach (var row in answer["rows"] as JsonArray ?? [])
        {
            Rows++;
            var cells = row!["cells"]!.AsArray();
            var shown = _columns.Select(i => (i == 0 ? prefix : "") + Cell(i < cells.Count ? cells[i] : null));
            var @namespace = (string?)row["object"]?["metadata"]?["namespace"];
            _table!.Add([.. withNamespace ? [@namespace ?? "<none>"] : Array.Empty<string>(), .. shown]);
        }
    }

    /// <summary>Writes what was added.</summary>
    public void Write()
    {
        if (_table is { HasRows: true } table)
        {
            table.Write();
        }
    }

    private static string Cell(JsonNode? cell) => cell switch
    {
        null => "<none>",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>() switch
        {
            "" => "<none>",

            // A table is one line a row.
            var text => text.Split('\n') is [var first, _, ..] ? first + " ..." : text,
        },
        JsonArray list => string.Join(",", list.Select(Cell)),
        JsonValue value when value.GetValueKind() is JsonValueKind.True or JsonValueKind.False => value.ToJsonString(),
        JsonValue value when value.TryGetValue<double>(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => cell.ToJsonString(),
    };
}
