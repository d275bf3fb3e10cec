using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.ApiServer.Schema.Documents;

/// <summary>
/// What a YAML 1.1 scalar is in JSON, as Go's yaml.v2, and so kubectl, resolves it: yes and on are true, 010 is eight, a date is a
/// string.
/// </summary>
internal static partial class YamlScalar
{
    private const string TagPrefix = "tag:yaml.org,2002:";

    public static JsonNode? ToNode(Scalar scalar)
    {
        var tag = scalar.Tag.IsEmpty ? null : scalar.Tag.Value;
        if (tag is "!" or TagPrefix + "str" or TagPrefix + "binary" || (tag is null && scalar.Style != ScalarStyle.Plain))
        {
            return JsonValue.Create(scalar.Value);
        }

        var node = Resolve(scalar.Value, scalar);
        return tag switch
        {
            null or TagPrefix + "timestamp" => node,
            TagPrefix + "null" when node is null => null,
            TagPrefix + "bool" when node?.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False => node,
            TagPrefix + "int" or TagPrefix + "float" when node?.GetValueKind() == System.Text.Json.JsonValueKind.Number => node,
            _ => throw Fail(scalar, $"cannot decode !!{tag.Replace(TagPrefix, "", StringComparison.Ordinal)} `{scalar.Value}`"),
        };
    }

    private static JsonNode? Resolve(string text, Scalar scalar)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return null;
            case "true" or "True" or "TRUE" or "y" or "Y" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return JsonValue.Create(true);
            case "false" or "False" or "FALSE" or "n" or "N" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return JsonValue.Create(false);
        }

        if (text[0] is not ((>= '0' and <= '9') or '+' or '-' or '.'))
        {
            return JsonValue.Create(text);
        }

        if (Infinite().IsMatch(text))
        {
            throw Fail(scalar, $"{text} has no form in JSON");
        }

        var plain = text.Replace("_", "", StringComparison.Ordinal);
        if (Integer().Match(plain) is { Success: true } match && TryInteger(match, out var integer))
        {
            return JsonValue.Create(integer);
        }

        if (!Float().IsMatch(plain))
        {
            return JsonValue.Create(text);
        }

        var number = JsonNumber.Parse(plain);
        return double.IsFinite(number.Value) ? number.ToNode() : throw Fail(scalar, $"{text} is out of range");
    }

    private static bool TryInteger(Match match, out long value)
    {
        var (digits, numberBase) = match.Groups["hex"].Success ? (match.Groups["hex"].Value, 16)
            : match.Groups["binary"].Success ? (match.Groups["binary"].Value, 2)
            : match.Groups["octal"].Success ? (match.Groups["octal"].Value, 8)
            : (match.Groups["decimal"].Value, 10);
        var negative = match.Groups["sign"].Value == "-";
        value = 0;
        foreach (var digit in digits)
        {
            var next = (Int128)value * numberBase + Convert.ToInt32(digit.ToString(), 16) * (negative ? -1 : 1);
            if (next < long.MinValue || next > long.MaxValue)
            {
                return false;
            }

            value = (long)next;
        }

        return true;
    }

    private static MalformedDocumentException Fail(Scalar scalar, string message) =>
        new(string.Create(CultureInfo.InvariantCulture, $"line {scalar.Start.Line}: {message}"));

    [GeneratedRegex("^(?<sign>[-+]?)(?:0x(?<hex>[0-9a-fA-F]+)|0b(?<binary>[01]+)|0o?(?<octal>[0-7]+)|(?<decimal>0|[1-9][0-9]*))\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Integer();

    [GeneratedRegex("^[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Float();

    [GeneratedRegex("^([-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN))\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Infinite();
}
