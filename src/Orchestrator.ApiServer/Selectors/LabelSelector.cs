using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Selectors;

/// <summary>
/// A parsed <c>labelSelector</c>: terms joined by comma, all of which must hold. Grammar and error texts are those of Kubernetes'
/// <c>k8s.io/apimachinery/pkg/labels</c>.
/// </summary>
public sealed class LabelSelector
{
    public static readonly LabelSelector Everything = new([]);

    public LabelSelector(IEnumerable<LabelRequirement> requirements)
    {
        // A stable order, so that equal selectors print equally.
        Requirements = [.. requirements.OrderBy(requirement => requirement.Key, StringComparer.Ordinal)];
    }

    /// <summary>Sorted by key.</summary>
    public IReadOnlyList<LabelRequirement> Requirements { get; }

    public bool IsEverything => Requirements.Count == 0;

    /// <param name="text">Null, empty or blank selects everything.</param>
    /// <param name="selector">The selector, when parsed.</param>
    /// <param name="error">What to say with 400 BadRequest, when not.</param>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out LabelSelector? selector, [NotNullWhen(false)] out string? error)
    {
        selector = null;
        if (new LabelSelectorParser(text ?? "").Parse(out error) is not { } requirements)
        {
            error ??= "unable to parse selector";
            return false;
        }

        selector = new LabelSelector(requirements);
        error = null;
        return true;
    }

    /// <param name="labels"><c>metadata.labels</c>; null when there are none.</param>
    public bool Matches(JsonObject? labels)
    {
        foreach (var requirement in Requirements)
        {
            var value = labels is not null && labels.TryGetPropertyValue(requirement.Key, out var node)
                && node?.GetValueKind() == JsonValueKind.String
                    ? node.GetValue<string>()
                    : null;
            if (!requirement.Matches(value))
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() => string.Join(',', Requirements);
}
