using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Tables;

/// <summary>Parses one path. A leading dot, <c>$</c> and surrounding braces may be there or not.</summary>
internal sealed class JsonPathParser
{
    private const int MaxLength = 1024;

    private readonly string _text;
    private int _position;
    private string? _error;

    public JsonPathParser(string text) => _text = text.StartsWith('{') && text.EndsWith('}') ? text[1..^1] : text;

    public IReadOnlyList<IJsonPathStep>? Parse(out string? error)
    {
        error = _text.Length > MaxLength ? $"longer than {MaxLength} characters" : null;
        if (error is not null)
        {
            return null;
        }

        if (_text.StartsWith('$'))
        {
            _position++;
        }

        var steps = ParseSteps(isInFilter: false);
        error = _error;
        return _error is null ? steps : null;
    }

    private List<IJsonPathStep> ParseSteps(bool isInFilter)
    {
        var steps = new List<IJsonPathStep>();
        while (_error is null && _position < _text.Length)
        {
            switch (_text[_position])
            {
                case '.':
                    _position++;
                    if (Peek('.'))
                    {
                        Fail("recursive descent is not supported");
                    }
                    else if (_position < _text.Length && _text[_position] != '[')
                    {
                        steps.Add(ParseMember(isInFilter));
                    }

                    break;
                case '[':
                    _position++;
                    steps.Add(ParseBrackets());
                    break;
                case not ('=' or '!' or '<' or '>' or ')' or ' ') when steps.Count == 0:
                    steps.Add(ParseMember(isInFilter));
                    break;
                default:
                    if (!isInFilter)
                    {
                        Fail($"unexpected '{_text[_position]}' at {_position}");
                    }

                    return steps;
            }
        }

        return steps;
    }

    private IJsonPathStep ParseMember(bool isInFilter)
    {
        var name = new StringBuilder();
        while (_position < _text.Length)
        {
            var character = _text[_position];
            if (character == '\\' && _position + 1 < _text.Length)
            {
                // As in .metadata.annotations.example\.org/key.
                name.Append(_text[_position + 1]);
                _position += 2;
                continue;
            }

            if (character is '.' or '[' or ' ' || (isInFilter && character is '=' or '!' or '<' or '>' or ')'))
            {
                break;
            }

            name.Append(character);
            _position++;
        }

        if (name.Length == 0)
        {
            Fail($"a name is missing at {_position}");
        }

        return name.ToString() == "*" ? new WildcardStep() : new MemberStep(name.ToString());
    }

    private IJsonPathStep ParseBrackets()
    {
        if (Peek('?'))
        {
            return ParseFilter();
        }

        if (Peek('\'') || Peek('"'))
        {
            var name = ParseQuoted();
            Expect(']');
            return new MemberStep(name);
        }

        var end = _text.IndexOf(']', _position);
        var inside = end < 0 ? "" : _text[_position..end].Trim();
        _position = end < 0 ? _text.Length : end + 1;
        if (inside == "*")
        {
            return new WildcardStep();
        }

        var bounds = inside.Split(':');
        if (bounds.Length == 1 && TryIndex(bounds[0], out var index) && index is { } at)
        {
            return SliceStep.At(at);
        }

        if (bounds.Length == 2 && TryIndex(bounds[0], out var from) && TryIndex(bounds[1], out var to))
        {
            return new SliceStep(from, to);
        }

        Fail($"neither an index nor a filter: [{inside}]");
        return new WildcardStep();
    }

    private FilterStep ParseFilter()
    {
        Expect('?');
        Expect('(');
        SkipSpaces();
        Expect('@');
        var path = ParseSteps(isInFilter: true);
        SkipSpaces();
        var comparison = ParseComparison();
        JsonNode? literal = null;
        if (comparison is not null)
        {
            SkipSpaces();
            literal = ParseLiteral();
            SkipSpaces();
        }

        Expect(')');
        Expect(']');
        return new FilterStep(path, comparison, literal);
    }

    private string? ParseComparison()
    {
        foreach (var candidate in (ReadOnlySpan<string>)["==", "!=", "<=", ">=", "<", ">"])
        {
            if (string.CompareOrdinal(_text, _position, candidate, 0, candidate.Length) == 0)
            {
                _position += candidate.Length;
                return candidate;
            }
        }

        return null;
    }

    private JsonNode? ParseLiteral()
    {
        if (Peek('\'') || Peek('"'))
        {
            return ParseQuoted();
        }

        var start = _position;
        while (_position < _text.Length && _text[_position] is not (')' or ' '))
        {
            _position++;
        }

        var word = _text[start.._position];
        switch (word)
        {
            case "true":
                return true;
            case "false":
                return false;
            case "null":
                return null;
            default:
                if (long.TryParse(word, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
                {
                    return integer;
                }

                if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
                {
                    return number;
                }

                Fail($"not a value: {word}");
                return null;
        }
    }

    private string ParseQuoted()
    {
        var quote = _position < _text.Length ? _text[_position++] : '\'';
        var value = new StringBuilder();
        while (_position < _text.Length && _text[_position] != quote)
        {
            if (_text[_position] == '\\' && _position + 1 < _text.Length)
            {
                _position++;
            }

            value.Append(_text[_position++]);
        }

        Expect(quote);
        return value.ToString();
    }

    private static bool TryIndex(string text, out int? index)
    {
        index = null;
        if (text.Length == 0)
        {
            return true;
        }

        // Few digits, so that the end of the slice does not overflow.
        if (text.Length <= 9 && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            index = value;
            return true;
        }

        return false;
    }

    private bool Peek(char character) => _position < _text.Length && _text[_position] == character;

    private void SkipSpaces()
    {
        while (Peek(' '))
        {
            _position++;
        }
    }

    private void Expect(char character)
    {
        if (Peek(character))
        {
            _position++;
        }
        else
        {
            Fail($"'{character}' is missing at {_position}");
        }
    }

    private void Fail(string error) => _error ??= error;
}
