using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Manifests;

/// <summary>
/// JSON to the byte as Go's encoding/json writes a map: keys in byte order, HTML characters escaped, numbers in Go's format.
/// kubectl compares its last-applied annotation as text, so text it must be.
/// </summary>
internal static class GoJson
{
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Append(text, node);
        return text.ToString();
    }

    private static void Append(StringBuilder text, JsonNode? node)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject map:
                AppendMap(text, map);
                break;
            case JsonArray list:
                text.Append('[');
                for (var i = 0; i < list.Count; i++)
                {
                    Append(i == 0 ? text : text.Append(','), list[i]);
                }

                text.Append(']');
                break;
            case JsonValue value:
                AppendValue(text, value);
                break;
        }
    }

    private static void AppendMap(StringBuilder text, JsonObject map)
    {
        // UTF-8's byte order is that of code points, which UTF-16's ordinal order is not above U+FFFF.
        var keys = map.Select(member => member.Key).ToArray();
        Array.Sort(keys, static (left, right) => Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right)));
        text.Append('{');
        for (var i = 0; i < keys.Length; i++)
        {
            AppendString(i == 0 ? text : text.Append(','), keys[i]);
            Append(text.Append(':'), map[keys[i]]);
        }

        text.Append('}');
    }

    private static void AppendValue(StringBuilder text, JsonValue value)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.String:
                AppendString(text, value.GetValue<string>());
                break;
            case JsonValueKind.True:
                text.Append("true");
                break;
            case JsonValueKind.False:
                text.Append("false");
                break;
            default:
                text.Append(Number(value.ToJsonString()));
                break;
        }
    }

    private static string Number(string literal) =>
        long.TryParse(literal, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? whole.ToString(CultureInfo.InvariantCulture)
            : Number(double.Parse(literal, CultureInfo.InvariantCulture));

    /// <summary>Shortest digits that read back the same; exponents only below 1e-6 and from 1e21.</summary>
    private static string Number(double number)
    {
        var size = Math.Abs(number);
        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        var exponent = shortest.IndexOf('E', StringComparison.Ordinal);
        if (number == 0)
        {
            return double.IsNegative(number) ? "-0" : "0";
        }

        if (size is < 1e-6 or >= 1e21)
        {
            if (exponent < 0)
            {
                shortest = number.ToString("E16", CultureInfo.InvariantCulture);
                exponent = shortest.IndexOf('E', StringComparison.Ordinal);
            }

            var power = int.Parse(shortest.AsSpan(exponent + 1), CultureInfo.InvariantCulture);
            return $"{shortest[..exponent]}e{(power < 0 ? '-' : '+')}{Math.Abs(power).ToString("00", CultureInfo.InvariantCulture).TrimStart(power < 0 ? '0' : ' ')}";
        }

        return exponent < 0 ? shortest : decimal.Parse(shortest, NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
    }

    private static void AppendString(StringBuilder text, string value)
    {
        text.Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var letter = value[i];
            switch (letter)
            {
                case '"' or '\\':
                    text.Append('\\').Append(letter);
                    break;
                case '\n':
                    text.Append("\\n");
                    break;
                case '\r':
                    text.Append("\\r");
                    break;
                case '\t':
                    text.Append("\\t");
                    break;
                case '\b':
                    text.Append("\\b");
                    break;
                case '\f':
                    text.Append("\\f");
                    break;
                case < ' ' or '<' or '>' or '&' or '\u2028' or '\u2029':
                    text.Append("\\u").Append(((int)letter).ToString("x4", CultureInfo.InvariantCulture));
                    break;
                default:
                    text.Append(char.IsSurrogate(letter) && !IsPaired(value, i) ? '\ufffd' : letter);
                    break;
            }
        }

        text.Append('"');
    }

    private static bool IsPaired(string value, int i) => char.IsHighSurrogate(value[i])
        ? i + 1 < value.Length && char.IsLowSurrogate(value[i + 1])
        : i > 0 && char.IsHighSurrogate(value[i - 1]);
}
