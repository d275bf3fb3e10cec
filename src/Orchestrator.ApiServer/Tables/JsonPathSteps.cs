using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Tables;

/// <summary>One step of a path: from a value to those that it leads to.</summary>
internal interface IJsonPathStep
{
    IEnumerable<JsonNode?> From(JsonNode? node);
}

internal sealed class MemberStep(string name) : IJsonPathStep
{
    public IEnumerable<JsonNode?> From(JsonNode? node) =>
        node is JsonObject members && members.TryGetPropertyValue(name, out var value) ? [value] : [];
}

internal sealed class WildcardStep : IJsonPathStep
{
    public IEnumerable<JsonNode?> From(JsonNode? node) => node switch
    {
        JsonArray items => items,
        JsonObject members => members.Select(member => member.Value),
        _ => [],
    };
}

/// <param name="start">Null: from the first. Negative: from the end.</param>
/// <param name="end">Not included; null: to the last.</param>
internal sealed class SliceStep(int? start, int? end) : IJsonPathStep
{
    public static SliceStep At(int index) => new(index, index == -1 ? null : index + 1);

    public IEnumerable<JsonNode?> From(JsonNode? node)
    {
        if (node is not JsonArray items)
        {
            return [];
        }

        int Place(int index) => index < 0 ? items.Count + index : index;
        var (from, to) = (Math.Max(0, Place(start ?? 0)), end is null ? items.Count : Math.Min(items.Count, Place(end.Value)));
        return Place(start ?? 0) < 0 || from >= to ? [] : items.Skip(from).Take(to - from);
    }
}

/// <param name="path">From an item, after the <c>@</c>.</param>
/// <param name="comparison">Null: it is enough that the path leads somewhere.</param>
internal sealed class FilterStep(IReadOnlyList<IJsonPathStep> path, string? comparison, JsonNode? literal) : IJsonPathStep
{
    public IEnumerable<JsonNode?> From(JsonNode? node) => node is JsonArray items ? items.Where(Holds) : [];

    private bool Holds(JsonNode? item)
    {
        IEnumerable<JsonNode?> found = [item];
        foreach (var step in path)
        {
            found = found.SelectMany(step.From);
        }

        return comparison is null ? found.Any() : found.Any(value => Compare(value));
    }

    private bool Compare(JsonNode? value) => comparison switch
    {
        "==" => JsonNode.DeepEquals(value, literal),
        "!=" => !JsonNode.DeepEquals(value, literal),
        _ => Order(value) is { } order && comparison switch
        {
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        },
    };

    private int? Order(JsonNode? value) => (value?.GetValueKind(), literal?.GetValueKind()) switch
    {
        (JsonValueKind.Number, JsonValueKind.Number) => Number(value!).CompareTo(Number(literal!)),
        (JsonValueKind.String, JsonValueKind.String) => string.CompareOrdinal(value!.GetValue<string>(), literal!.GetValue<string>()),
        _ => null,
    };

    private static double Number(JsonNode node) => double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);
}
