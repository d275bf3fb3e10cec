namespace Orchestrator.ApiServer.Selectors;

/// <summary>
/// Recursive descent over the tokens of a label selector, one text only. Follows <c>labels.Parser</c> of apimachinery step by step,
/// its leniencies (<c>x in (,a)</c>, <c>x=</c>) included.
/// </summary>
internal sealed class LabelSelectorParser(string text)
{
    private const string BinaryOperators = "=, !=, ==, in, notin, >, <";

    private readonly List<Token> _tokens = Scan(text);
    private int _position;
    private string? _error;

    private enum TokenKind
    {
        Error,
        End,
        ClosedParenthesis,
        Comma,
        Not,
        DoubleEquals,
        Equals,
        GreaterThan,
        Identifier,
        In,
        LessThan,
        NotEquals,
        NotIn,
        OpenParenthesis,
    }

    private readonly record struct Token(TokenKind Kind, string Literal)
    {
        /// <summary>Where a value stands, <c>in</c> and <c>notin</c> are values like any other.</summary>
        public Token AsValue() => Kind is TokenKind.In or TokenKind.NotIn ? this with { Kind = TokenKind.Identifier } : this;
    }

    public List<LabelRequirement>? Parse(out string? error)
    {
        var requirements = ParseAll();
        error = _error;
        return requirements;
    }

    private List<LabelRequirement>? ParseAll()
    {
        var requirements = new List<LabelRequirement>();
        while (true)
        {
            var token = Peek().AsValue();
            if (token.Kind == TokenKind.End)
            {
                return requirements;
            }

            if (token.Kind is not (TokenKind.Identifier or TokenKind.Not))
            {
                return Fail<List<LabelRequirement>>($"found '{token.Literal}', expected: !, identifier, or 'end of string'");
            }

            if (ParseRequirement() is not { } requirement)
            {
                _error = "unable to parse requirement: " + _error;
                return null;
            }

            requirements.Add(requirement);
            var next = Take();
            if (next.Kind == TokenKind.End)
            {
                return requirements;
            }

            if (next.Kind != TokenKind.Comma)
            {
                return Fail<List<LabelRequirement>>($"found '{next.Literal}', expected: ',' or 'end of string'");
            }

            var after = Peek().AsValue();
            if (after.Kind is not (TokenKind.Identifier or TokenKind.Not))
            {
                return Fail<List<LabelRequirement>>($"found '{after.Literal}', expected: identifier after ','");
            }
        }
    }

    private LabelRequirement? ParseRequirement()
    {
        var token = Take().AsValue();
        var negated = token.Kind == TokenKind.Not;
        if (negated)
        {
            token = Take().AsValue();
        }

        if (token.Kind != TokenKind.Identifier)
        {
            return Fail<LabelRequirement>($"found '{token.Literal}', expected: identifier");
        }

        var key = token.Literal;
        if (LabelNames.CheckKey(key) is { Count: > 0 } faults)
        {
            return Fail<LabelRequirement>($"<nil>: Invalid value: \"{key}\": {string.Join("; ", faults)}");
        }

        if (negated)
        {
            return new LabelRequirement(key, LabelOperator.DoesNotExist, []);
        }

        if (Peek().Kind is TokenKind.End or TokenKind.Comma)
        {
            return new LabelRequirement(key, LabelOperator.Exists, []);
        }

        return ParseOperator() is { } operation && ParseValues(operation) is { } values ? Check(key, operation, values) : null;
    }

    private LabelRequirement? Check(string key, LabelOperator operation, SortedSet<string> values)
    {
        var index = 0;
        foreach (var value in values)
        {
            if (operation is LabelOperator.GreaterThan or LabelOperator.LessThan && !LabelRequirement.TryInteger(value, out _))
            {
                return Fail<LabelRequirement>(
                    $"values[{index}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer");
            }

            if (LabelNames.CheckValue(value) is { Count: > 0 } faults)
            {
                return Fail<LabelRequirement>($"values[{index}][{key}]: Invalid value: \"{value}\": {string.Join("; ", faults)}");
            }

            index++;
        }

        return new LabelRequirement(key, operation, [.. values]);
    }

    private LabelOperator? ParseOperator()
    {
        var token = Take();
        switch (token.Kind)
        {
            case TokenKind.In: return LabelOperator.In;
            case TokenKind.NotIn: return LabelOperator.NotIn;
            case TokenKind.Equals: return LabelOperator.Equals;
            case TokenKind.DoubleEquals: return LabelOperator.DoubleEquals;
            case TokenKind.NotEquals: return LabelOperator.NotEquals;
            case TokenKind.GreaterThan: return LabelOperator.GreaterThan;
            case TokenKind.LessThan: return LabelOperator.LessThan;
            default:
                _error = $"found '{token.Literal}', expected: {BinaryOperators}";
                return null;
        }
    }

    private SortedSet<string>? ParseValues(LabelOperator operation) =>
        operation is LabelOperator.In or LabelOperator.NotIn ? ParseSet() : ParseExactValue();

    private SortedSet<string>? ParseExactValue()
    {
        if (Peek().Kind is TokenKind.End or TokenKind.Comma)
        {
            return Values("");
        }

        var token = Take().AsValue();
        return token.Kind == TokenKind.Identifier
            ? Values(token.Literal)
            : Fail<SortedSet<string>>($"found '{token.Literal}', expected: identifier");
    }

    private SortedSet<string>? ParseSet()
    {
        if (Take() is { Kind: not TokenKind.OpenParenthesis } open)
        {
            return Fail<SortedSet<string>>($"found '{open.Literal}' expected: '('");
        }

        var token = Peek().AsValue();
        switch (token.Kind)
        {
            case TokenKind.ClosedParenthesis:
                Take();
                return Values("");
            case TokenKind.Identifier or TokenKind.Comma:
                var values = ParseList();
                if (values is not null)
                {
                    Take();
                }

                return values;
            default:
                return Fail<SortedSet<string>>($"found '{token.Literal}', expected: ',', ')' or identifier");
        }
    }

    /// <summary>Up to, not including, the closing parenthesis. Where nothing stands between commas, the empty value is meant.</summary>
    private SortedSet<string>? ParseList()
    {
        var values = Values();
        while (true)
        {
            var token = Take().AsValue();
            switch (token.Kind)
            {
                case TokenKind.Identifier:
                    values.Add(token.Literal);
                    var next = Peek();
                    if (next.Kind == TokenKind.ClosedParenthesis)
                    {
                        return values;
                    }

                    if (next.Kind != TokenKind.Comma)
                    {
                        return Fail<SortedSet<string>>($"found '{next.Literal}', expected: ',' or ')'");
                    }

                    break;
                case TokenKind.Comma:
                    if (values.Count == 0 || Peek().Kind is TokenKind.Comma or TokenKind.ClosedParenthesis)
                    {
                        values.Add("");
                    }

                    if (Peek().Kind == TokenKind.ClosedParenthesis)
                    {
                        return values;
                    }

                    break;
                default:
                    return Fail<SortedSet<string>>($"found '{token.Literal}', expected: ',', or identifier");
            }
        }
    }

    private static SortedSet<string> Values(params ReadOnlySpan<string> values) => new(values.ToArray(), StringComparer.Ordinal);

    private Token Peek() => _tokens[_position];

    /// <summary>The last token is the end, and stays.</summary>
    private Token Take() => _position < _tokens.Count - 1 ? _tokens[_position++] : _tokens[_position];

    private T? Fail<T>(string error)
        where T : class
    {
        _error = error;
        return null;
    }

    private static List<Token> Scan(string text)
    {
        var tokens = new List<Token>();
        var position = 0;
        while (true)
        {
            while (position < text.Length && IsSpace(text[position]))
            {
                position++;
            }

            if (position == text.Length)
            {
                tokens.Add(new Token(TokenKind.End, ""));
                return tokens;
            }

            tokens.Add(IsSpecial(text[position]) ? ScanSymbol(text, ref position) : ScanWord(text, ref position));
        }
    }

    private static Token ScanWord(string text, ref int position)
    {
        var start = position;
        while (position < text.Length && !IsSpecial(text[position]) && !IsSpace(text[position]))
        {
            position++;
        }

        var word = text[start..position];
        return new Token(word switch { "in" => TokenKind.In, "notin" => TokenKind.NotIn, _ => TokenKind.Identifier }, word);
    }

    private static Token ScanSymbol(string text, ref int position)
    {
        if (text[position] is '=' or '!' && position + 1 < text.Length && text[position + 1] == '=')
        {
            var kind = text[position] == '=' ? TokenKind.DoubleEquals : TokenKind.NotEquals;
            position += 2;
            return new Token(kind, text[(position - 2)..position]);
        }

        var symbol = text[position++];
        return new Token(
            symbol switch
            {
                ')' => TokenKind.ClosedParenthesis,
                '(' => TokenKind.OpenParenthesis,
                ',' => TokenKind.Comma,
                '!' => TokenKind.Not,
                '=' => TokenKind.Equals,
                '>' => TokenKind.GreaterThan,
                '<' => TokenKind.LessThan,
                _ => TokenKind.Error,
            },
            symbol.ToString());
    }

    private static bool IsSpace(char character) => character is ' ' or '\t' or '\r' or '\n';

    private static bool IsSpecial(char character) => character is '=' or '!' or '(' or ')' or ',' or '>' or '<';
}
