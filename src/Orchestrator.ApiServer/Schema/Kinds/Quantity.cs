using System.Buffers;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema.Kinds;

/// <summary>Kubernetes' resource quantity, such as <c>250m</c>, <c>64Mi</c> or <c>1e3</c>, as the number that it means.</summary>
internal static class Quantity
{
    /// <summary>The largest quantity there is, as in Kubernetes.</summary>
    private const decimal Largest = long.MaxValue;

    /// <summary>Characters; the longest that makes sense is far shorter.</summary>
    private const int MaxLength = 64;

    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("+-.0123456789");

    /// <returns>False when it is no quantity, or one above 2^63-1.</returns>
    public static bool TryRead(JsonNode? node, out decimal value)
    {
        value = 0;
        if (JsonNumber.TryRead(node, out var number))
        {
            value = number.Integer ?? 0;
            return number.Integer is not null;
        }

        return node is JsonValue text && text.TryGetValue(out string? quantity) && TryParse(quantity, out value);
    }

    public static bool TryParse(string text, out decimal value)
    {
        value = 0;
        var digits = text.AsSpan().IndexOfAnyExcept(NumberCharacters);
        var number = digits < 0 ? text : text[..digits];
        var suffix = digits < 0 ? "" : text[digits..];
        return text.Length <= MaxLength
            && decimal.TryParse(number, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var mantissa)
            && TryScale(suffix, out var factor)
            && TryMultiply(mantissa, factor, out value);
    }

    private static bool TryMultiply(decimal mantissa, decimal factor, out decimal value)
    {
        value = 0;
        if (factor != 0 && Math.Abs(mantissa) > Largest / Math.Max(factor, 1))
        {
            return false;
        }

        value = mantissa * factor;
        return true;
    }

    private static bool TryScale(string suffix, out decimal factor)
    {
        factor = suffix switch
        {
            "" => 1m,
            "n" => 0.000_000_001m,
            "u" => 0.000_001m,
            "m" => 0.001m,
            "k" => 1_000m,
            "M" => 1_000_000m,
            "G" => 1_000_000_000m,
            "T" => 1_000_000_000_000m,
            "P" => 1_000_000_000_000_000m,
            "E" => 1_000_000_000_000_000_000m,
            "Ki" => 1024m,
            "Mi" => 1024m * 1024,
            "Gi" => 1024m * 1024 * 1024,
            "Ti" => 1024m * 1024 * 1024 * 1024,
            "Pi" => 1024m * 1024 * 1024 * 1024 * 1024,
            "Ei" => 1024m * 1024 * 1024 * 1024 * 1024 * 1024,
            _ => 0m,
        };
        return factor != 0 || TryExponent(suffix, out factor);
    }

    private static bool TryExponent(string suffix, out decimal factor)
    {
        factor = 0;
        if (suffix.Length < 2 || suffix[0] is not ('e' or 'E')
            || !int.TryParse(suffix.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)
            || exponent is < -18 or > 18)
        {
            return false;
        }

        factor = 1;
        for (var step = 0; step < Math.Abs(exponent); step++)
        {
            factor = exponent > 0 ? factor * 10 : factor / 10;
        }

        return true;
    }
}
