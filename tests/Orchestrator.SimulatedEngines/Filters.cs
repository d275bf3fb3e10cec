using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.SimulatedEngines;

/// <summary>Docker's <c>filters</c> parameter: by name, values of which one must hold; for labels all.</summary>
internal sealed class Filters
{
    private readonly Dictionary<string, HashSet<string>> _values = [];

    public static Filters Of(HttpRequest request)
    {
        var filters = new Filters();
        if (request.Query["filters"].ToString() is { Length: > 0 } text)
        {
            using var json = JsonDocument.Parse(text);
            foreach (var filter in json.RootElement.EnumerateObject())
            {
                filters._values[filter.Name] = [.. filter.Value.EnumerateObject().Where(value => value.Value.GetBoolean()).Select(value => value.Name)];
            }
        }

        return filters;
    }

    public bool Allows(string name, string value) => !_values.TryGetValue(name, out var values) || values.Contains(value);

    public bool AllowsLabels(IReadOnlyDictionary<string, string> labels) =>
        !_values.TryGetValue("label", out var wanted) || wanted.All(pair => pair.Split('=', 2) is var parts
            && labels.TryGetValue(parts[0], out var value) && (parts.Length == 1 || value == parts[1]));
}
