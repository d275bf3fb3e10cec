using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Manifests;

/// <summary>
/// What an unquoted word means, by the rules of kubectl's YAML library (YAML 1.1 with Go's dialect: <c>yes</c>, <c>on</c> and <c>y</c> are
/// booleans, <c>010</c> is eight), so that a manifest means the same to both.
/// </summary>
internal static class YamlScalars
{
    private static readonly Dictionary<string, JsonNode?> Words = Known();

    /// <returns>Null for YAML's null.</returns>
    public static JsonNode? Resolve(string word)
    {
        if (Words.TryGetValue(word, out var known))
        {
            return known?.DeepClone();
        }

        if (word.Length == 0 || !(char.IsAsciiDigit(word[0]) || word[0] is '+' or '-' or '.'))
        {
            return word;
        }

        return Integer(word.Replace("_", "", StringComparison.Ordinal)) ?? Float(word.Replace("_", "", StringComparison.Ordinal)) ?? word;
    }

    /// <summary>A word whose type the manifest states (<c>!!str 5</c>).</summary>
    /// <exception cref="FormatException">The word is none of that type.</exception>
    public static JsonNode? Resolve(string word, string tag)
    {
        const string prefix = "tag:yaml.org,2002:";
        var type = tag.StartsWith(prefix, StringComparison.Ordinal) ? tag[prefix.Length..] : tag;
        var meaning = Resolve(word);
        return type switch
        {
            "str" or "!" => word,
            "binary" => Encoding.UTF8.GetString(Convert.FromBase64String(word)),
            "null" when meaning is null => null,
            "bool" when meaning is JsonValue value && value.TryGetValue<bool>(out _) => meaning,
            "int" when meaning is JsonValue value && value.TryGetValue<long>(out _) => meaning,
            "float" when meaning is JsonValue value && (value.TryGetValue<double>(out _) || value.TryGetValue<long>(out _)) => meaning,
            "null" or "bool" or "int" or "float" => throw new FormatException($"\"{word}\" is no {type}"),
            _ => throw new FormatException($"the tag {tag} is not known"),
        };
    }

    private static JsonNode? Integer(string digits)
    {
        var negative = digits.StartsWith('-');
        var unsigned = digits.TrimStart('+', '-');
        if (digits.Length - unsigned.Length > 1 || unsigned.Length == 0)
        {
            return null;
        }

        BigInteger? value = unsigned switch
        {
            ['0', 'x' or 'X', .. var rest] => Whole(rest, 16),
            ['0', 'o', .. var rest] => Whole(rest, 8),
            ['0', 'b' or 'B', .. var rest] => Whole(rest, 2),
            ['0', .. { Length: > 0 } rest] => Whole(rest, 8),
            _ => Whole(unsigned, 10),
        };
        return value switch
        {
            null => null,
            { } found when (negative ? -found : found) is var signed && signed >= long.MinValue && signed <= long.MaxValue => (long)signed,
            { } found when !negative && found <= ulong.MaxValue => (ulong)found,
            _ => null,
        };
    }

    private static BigInteger? Whole(string digits, int radix)
    {
        var value = BigInteger.Zero;
        foreach (var digit in digits)
        {
            var amount = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : int.MaxValue;
            if (amount >= radix || digits.Length > 64)
            {
                return null;
            }

            value = (value * radix) + amount;
        }

        return digits.Length == 0 ? null : value;
    }

    // [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?, which excludes the names of infinities that .NET would take.
    private static JsonNode? Float(string word) =>
        word.All(letter => char.IsAsciiDigit(letter) || letter is '.' or 'e' or 'E' or '+' or '-')
        && double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? JsonValue.Create(number)
            : null;

    private static Dictionary<string, JsonNode?> Known()
    {
        var words = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        Add(true, "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON");
        Add(false, "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF");
        Add(null, "", "~", "null", "Null", "NULL");
        return words;

        void Add(JsonNode? meaning, params ReadOnlySpan<string> spellings)
        {
            foreach (var spelling in spellings)
            {
                words.Add(spelling, meaning?.DeepClone());
            }
        }
    }
}
