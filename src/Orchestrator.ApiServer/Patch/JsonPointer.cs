using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Patch;

/// <summary>RFC 6901: the path of a value in a document, as unescaped reference tokens.</summary>
/// <param name="Text">As the client wrote it.</param>
internal sealed record JsonPointer(string Text, IReadOnlyList<string> Tokens)
{
    /// <summary>Of the whole document.</summary>
    public bool IsRoot => Tokens.Count == 0;

    public string Last => Tokens[^1];

    /// <returns>Null when the text is not empty and does not start with a slash, or has a tilde that escapes nothing.</returns>
    public static JsonPointer? Parse(string text)
    {
        if (text.Length == 0)
        {
            return new JsonPointer(text, []);
        }

        if (text[0] != '/')
        {
            return null;
        }

        var tokens = text[1..].Split('/');
        for (var index = 0; index < tokens.Length; index++)
        {
            if (!IsEscapedWell(tokens[index]))
            {
                return null;
            }

            // In this order: ~01 is ~1, not a slash.
            tokens[index] = tokens[index].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        }

        return new JsonPointer(text, tokens);
    }

    /// <summary>Whether this is a place inside of <paramref name="other"/>, or the same.</summary>
    public bool IsWithin(JsonPointer other) =>
        Tokens.Count >= other.Tokens.Count && Tokens.Take(other.Tokens.Count).SequenceEqual(other.Tokens, StringComparer.Ordinal);

    /// <summary>The object or array that holds, or would hold, the value; null when there is none.</summary>
    public JsonNode? FindParent(JsonNode? root)
    {
        for (var depth = 0; depth < Tokens.Count - 1; depth++)
        {
            if (!TryStep(root, Tokens[depth], out root))
            {
                return null;
            }
        }

        return root is JsonObject or JsonArray ? root : null;
    }

    /// <returns>False when there is no such value; a null value is there.</returns>
    public bool TryFind(JsonNode? root, out JsonNode? value)
    {
        value = root;
        foreach (var token in Tokens)
        {
            if (!TryStep(value, token, out value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>An array index: digits without leading zeros, RFC 6901 section 4.</summary>
    public static bool TryIndex(string token, out int index)
    {
        index = 0;
        if (token.Length is 0 or > 9 || (token.Length > 1 && token[0] == '0') || token.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }

        foreach (var digit in token)
        {
            index = (index * 10) + (digit - '0');
        }

        return true;
    }

    private static bool TryStep(JsonNode? node, string token, out JsonNode? value)
    {
        value = null;
        switch (node)
        {
            case JsonObject parent:
                return parent.TryGetPropertyValue(token, out value);
            case JsonArray items when TryIndex(token, out var index) && index < items.Count:
                value = items[index];
                return true;
            default:
                return false;
        }
    }

    private static bool IsEscapedWell(string token)
    {
        for (var index = token.IndexOf('~', StringComparison.Ordinal); index >= 0; index = token.IndexOf('~', index + 1))
        {
            if (index + 1 == token.Length || token[index + 1] is not ('0' or '1'))
            {
                return false;
            }
        }

        return true;
    }
}
