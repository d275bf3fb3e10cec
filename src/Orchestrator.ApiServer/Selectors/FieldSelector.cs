using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Selectors;

/// <summary>One term of a field selector: a dotted path and the value that it must, or must not, have.</summary>
/// <param name="Field">Such as <c>metadata.name</c>.</param>
/// <param name="Equal">False for <c>!=</c>.</param>
public sealed record FieldRequirement(string Field, bool Equal, string Value);

/// <summary>
/// A parsed <c>fieldSelector</c>: terms joined by comma, all of which must hold; <c>\</c> before a comma, an equals sign or
/// itself in a value takes it literally. Grammar and error texts are those of Kubernetes' <c>k8s.io/apimachinery/pkg/fields</c>.
/// </summary>
public sealed class FieldSelector
{
    public static readonly FieldSelector Everything = new([]);

    private FieldSelector(IReadOnlyList<FieldRequirement> requirements) => Requirements = requirements;

    public IReadOnlyList<FieldRequirement> Requirements { get; }

    public bool IsEverything => Requirements.Count == 0;

    /// <param name="text">Null or empty selects everything.</param>
    /// <param name="selector">The selector, when parsed.</param>
    /// <param name="error">What to say with 400 BadRequest, when not.</param>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out FieldSelector? selector, [NotNullWhen(false)] out string? error)
    {
        (selector, error) = (null, null);
        var requirements = new List<FieldRequirement>();
        foreach (var term in SplitTerms(text ?? ""))
        {
            if (term.Length == 0)
            {
                continue;
            }

            if (!TrySplitTerm(term, out var field, out var equal, out var raw))
            {
                error = $"invalid selector: '{text}'; can't understand '{term}'";
                return false;
            }

            if (!TryUnescape(raw, out var value, out error))
            {
                return false;
            }

            requirements.Add(new FieldRequirement(field, equal, value));
        }

        selector = new FieldSelector(requirements);
        return true;
    }

    /// <summary>The value that the field must have exactly, so that an index or a key can be used; null when there is no such term.</summary>
    public string? ExactValue(string field) => Requirements.FirstOrDefault(term => term.Equal && term.Field == field)?.Value;

    /// <summary>The first term about a field that the resource does not select by, as the message of 400 BadRequest; null when there is none.</summary>
    public string? Unsupported(IReadOnlyCollection<string> supported) =>
        Requirements.FirstOrDefault(term => !supported.Contains(term.Field)) is { } term
            ? $"field label not supported: {term.Field}"
            : null;

    /// <summary>An absent field counts as the empty string; numbers and booleans as their JSON text.</summary>
    public bool Matches(JsonObject resource)
    {
        foreach (var term in Requirements)
        {
            if ((Find(resource, term.Field) == term.Value) != term.Equal)
            {
                return false;
            }
        }

        return true;
    }

    public override string ToString() =>
        string.Join(',', Requirements.Select(term => $"{term.Field}{(term.Equal ? "=" : "!=")}{Escape(term.Value)}"));

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace(",", "\\,", StringComparison.Ordinal)
        .Replace("=", "\\=", StringComparison.Ordinal);

    private static string Find(JsonObject resource, string path)
    {
        JsonNode? node = resource;
        foreach (var name in path.Split('.'))
        {
            if (node is not JsonObject parent || !parent.TryGetPropertyValue(name, out node))
            {
                return "";
            }
        }

        return node?.GetValueKind() switch
        {
            JsonValueKind.String => node.GetValue<string>(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => node.ToJsonString(),
            _ => "",
        };
    }

    private static IEnumerable<string> SplitTerms(string text)
    {
        var (start, escaped) = (0, false);
        for (var index = 0; index < text.Length; index++)
        {
            if (escaped)
            {
                escaped = false;
            }
            else if (text[index] == '\\')
            {
                escaped = true;
            }
            else if (text[index] == ',')
            {
                yield return text[start..index];
                start = index + 1;
            }
        }

        yield return text[start..];
    }

    private static bool TrySplitTerm(string term, out string field, out bool equal, out string value)
    {
        for (var index = 0; index < term.Length; index++)
        {
            var rest = term.AsSpan(index);
            var length = rest.StartsWith("!=") || rest.StartsWith("==") ? 2 : rest[0] == '=' ? 1 : 0;
            if (length > 0)
            {
                (field, equal, value) = (term[..index], rest[0] != '!', term[(index + length)..]);
                return true;
            }
        }

        (field, equal, value) = ("", false, "");
        return false;
    }

    private static bool TryUnescape(string text, out string value, [NotNullWhen(false)] out string? error)
    {
        (value, error) = ("", null);
        var unescaped = new StringBuilder(text.Length);
        var escaped = false;
        foreach (var character in text)
        {
            if (escaped)
            {
                if (character is not ('\\' or ',' or '='))
                {
                    error = $"invalid field selector: invalid escape sequence: \\{character}";
                    return false;
                }

                unescaped.Append(character);
                escaped = false;
            }
            else if (character == '\\')
            {
                escaped = true;
            }
            else if (character is ',' or '=')
            {
                error = string.Create(CultureInfo.InvariantCulture, $"invalid field selector: unescaped character in value: {character}");
                return false;
            }
            else
            {
                unescaped.Append(character);
            }
        }

        if (escaped)
        {
            error = "invalid field selector: invalid escape sequence: \\";
            return false;
        }

        value = unescaped.ToString();
        return true;
    }
}
