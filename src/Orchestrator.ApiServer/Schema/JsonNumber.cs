using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>A JSON number as Kubernetes sees it: an integer of 64 bits or else a double.</summary>
/// <param name="Integer">Set when the number has no fraction and fits, however it was written (3.0, 1e2).</param>
internal readonly record struct JsonNumber(long? Integer, double Value)
{
    /// <summary>Doubles count as integers only where every integer has a double of its own.</summary>
    private const double LargestExactInteger = 9007199254740991;

    public static bool TryRead(JsonNode? node, out JsonNumber number)
    {
        number = default;
        if (node is not JsonValue value || value.GetValueKind() != JsonValueKind.Number)
        {
            return false;
        }

        if (value.TryGetValue(out long integer))
        {
            number = new JsonNumber(integer, integer);
        }
        else if (value.TryGetValue(out int small))
        {
            number = new JsonNumber(small, small);
        }
        else
        {
            // Whatever CLR type is behind it (a decimal, a uint): its text is a JSON number.
            number = Parse(value.ToJsonString());
        }

        return true;
    }

    /// <param name="text">A JSON number.</param>
    public static JsonNumber Parse(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
        {
            return new JsonNumber(integer, integer);
        }

        var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return new JsonNumber(Math.Abs(value) <= LargestExactInteger && Math.Truncate(value).Equals(value) ? (long)value : null, value);
    }

    /// <summary>A node whose JSON has no needless fraction, so that typed clients read 3.0 as the integer that it is.</summary>
    public JsonValue ToNode() => Integer is { } integer ? JsonValue.Create(integer) : JsonValue.Create(Value);
}
