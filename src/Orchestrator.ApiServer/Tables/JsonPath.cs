using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Tables;

/// <summary>
/// A parsed path of the subset of Kubernetes' JSONPath that printer columns use: members, <c>['key']</c>, indexes (negative ones from
/// the end), slices, <c>*</c>, and filters such as <c>[?(@.type=="Ready")]</c>. Immutable.
/// </summary>
public sealed class JsonPath
{
    private readonly IReadOnlyList<IJsonPathStep> _steps;

    private JsonPath(string text, IReadOnlyList<IJsonPathStep> steps) => (Text, _steps) = (text, steps);

    public string Text { get; }

    public static bool TryParse(string text, [NotNullWhen(true)] out JsonPath? path, [NotNullWhen(false)] out string? error)
    {
        var steps = new JsonPathParser(text).Parse(out error);
        path = steps is null ? null : new JsonPath(text, steps);
        error = steps is null ? error ?? "not a JSONPath" : null;
        return steps is not null;
    }

    /// <exception cref="FormatException">It is not a path of the subset.</exception>
    public static JsonPath Parse(string text) =>
        TryParse(text, out var path, out var error) ? path : throw new FormatException($"{text}: {error}");

    /// <summary>All values at the path, in order. A value may be null; a path that leads nowhere finds none.</summary>
    public IEnumerable<JsonNode?> Find(JsonNode? root)
    {
        IEnumerable<JsonNode?> found = [root];
        foreach (var step in _steps)
        {
            found = found.SelectMany(step.From);
        }

        return found;
    }

    /// <returns>False when the path leads nowhere.</returns>
    public bool TryFindFirst(JsonNode? root, out JsonNode? value)
    {
        foreach (var found in Find(root))
        {
            value = found;
            return true;
        }

        value = null;
        return false;
    }
}
