using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Orchestrator.ApiServer.Schema.Documents;

/// <summary>
/// Parses a JSON body into nodes of CLR values, bounded, noting duplicate fields (which <see cref="JsonNode.Parse(string, JsonNodeOptions?, JsonDocumentOptions)"/>
/// throws about, later).
/// </summary>
public static class JsonDocumentParser
{
    public static ParsedDocument Parse(ReadOnlySpan<byte> body, DocumentLimits limits)
    {
        if (ParsedDocument.Oversize(body.Length, limits) is { } oversize)
        {
            return oversize;
        }

        // Checked as a whole: the reader would throw about one string, and from where it is read.
        if (!Utf8.IsValid(body))
        {
            return ParsedDocument.Fail("invalid JSON: the body is not UTF-8");
        }

        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = limits.MaxDepth + 1 });
        var budget = new DocumentBudget(limits);
        try
        {
            reader.Read();
            var root = ReadValue(ref reader, 1, budget);
            reader.Read();
            return new ParsedDocument(root, budget.Duplicates, null);
        }
        catch (JsonException malformed)
        {
            return ParsedDocument.Fail(Explain(malformed));
        }
        catch (InvalidOperationException malformed)
        {
            // Half of a surrogate pair, as an escape.
            return ParsedDocument.Fail("invalid JSON: " + malformed.Message);
        }
        catch (MalformedDocumentException malformed)
        {
            return new ParsedDocument(null, [], new DocumentError(malformed.IsTooLarge, malformed.Message));
        }
    }

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, int depth, DocumentBudget budget)
    {
        budget.AddValue(depth);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, depth, budget);
            case JsonTokenType.StartArray:
                return ReadArray(ref reader, depth, budget);
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString());
            case JsonTokenType.Number:
                var number = JsonNumber.Parse(System.Text.Encoding.ASCII.GetString(reader.ValueSpan));
                return double.IsFinite(number.Value)
                    ? number.ToNode()
                    : throw new MalformedDocumentException($"invalid JSON: a number at {budget.Path} is out of range");
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            case JsonTokenType.Null:
                return null;
            default:
                throw new MalformedDocumentException($"invalid JSON: unexpected {reader.TokenType}");
        }
    }

    private static JsonObject ReadObject(ref Utf8JsonReader reader, int depth, DocumentBudget budget)
    {
        var members = new JsonObject();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            reader.Read();
            budget.Path.Push(name);
            var value = ReadValue(ref reader, depth + 1, budget);
            budget.Path.Pop();
            budget.AddMember(members, name, value);
        }

        return members;
    }

    private static JsonArray ReadArray(ref Utf8JsonReader reader, int depth, DocumentBudget budget)
    {
        var items = new JsonArray();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            budget.Path.Push(items.Count);
            items.Add(ReadValue(ref reader, depth + 1, budget));
            budget.Path.Pop();
        }

        return items;
    }

    private static string Explain(JsonException malformed)
    {
        var text = malformed.Message;
        var end = text.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var reason = end < 0 ? text : text[..end];
        return malformed is { LineNumber: { } line, BytePositionInLine: { } column }
            ? string.Create(CultureInfo.InvariantCulture, $"invalid JSON: line {line + 1}, column {column + 1}: {reason}")
            : "invalid JSON: " + reason;
    }
}
