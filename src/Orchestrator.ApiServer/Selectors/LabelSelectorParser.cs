namespace Orchestrator.ApiServer.Selectors;

/// <summary>
/// Recursive descent over the tokens of a label selector, one text only. Follows <c>labels.Parser</c> of apimachinery step by step,
/// its leniencies (<c>x in (,a)</c>, <c>x=</c>) included.
/// </summary>
internal sealed class LabelSelectorParser(string text)
{
    private const string BinaryOperators = "=, !=, ==, in, notin, >, <";

    private readonly IReadOnlyList<LabelToken> _tokens = LabelToken.Scan(text);
    private int _position;
    private string? _error;

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
            if (token.Kind == LabelTokenKind.End)
            {
                return requirements;
            }

            if (token.Kind is not (LabelTokenKind.Identifier or LabelTokenKind.Not))
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
            if (next.Kind == LabelTokenKind.End)
            {
                return requirements;
            }

            if (next.Kind != LabelTokenKind.Comma)
            {
                return Fail<List<LabelRequirement>>($"found '{next.Literal}', expected: ',' or 'end of string'");
            }

            var after = Peek().AsValue();
            if (after.Kind is not (LabelTokenKind.Identifier or LabelTokenKind.Not))
            {
                return Fail<List<LabelRequirement>>($"found '{after.Literal}', expected: identifier after ','");
            }
        }
    }

    private LabelRequirement? ParseRequirement()
    {
        var token = Take().AsValue();
        var negated = token.Kind == LabelTokenKind.Not;
        if (negated)
        {
            token = Take().AsValue();
        }

        if (token.Kind != LabelTokenKind.Identifier)
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

        if (Peek().Kind is LabelTokenKind.End or LabelTokenKind.Comma)
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
            case LabelTokenKind.In: return LabelOperator.In;
            case LabelTokenKind.NotIn: return LabelOperator.NotIn;
            case LabelTokenKind.Equals: return LabelOperator.Equals;
            case LabelTokenKind.DoubleEquals: return LabelOperator.DoubleEquals;
            case LabelTokenKind.NotEquals: return LabelOperator.NotEquals;
            case LabelTokenKind.GreaterThan: return LabelOperator.GreaterThan;
            case LabelTokenKind.LessThan: return LabelOperator.LessThan;
            default:
                _error = $"found '{token.Literal}', expected: {BinaryOperators}";
                return null;
        }
    }

    private SortedSet<string>? ParseValues(LabelOperator operation) =>
        operation is LabelOperator.In or LabelOperator.NotIn ? ParseSet() : ParseExactValue();

    private SortedSet<string>? ParseExactValue()
    {
        if (Peek().Kind is LabelTokenKind.End or LabelTokenKind.Comma)
        {
            return Values("");
        }

        var token = Take().AsValue();
        return token.Kind == LabelTokenKind.Identifier
            ? Values(token.Literal)
            : Fail<SortedSet<string>>($"found '{token.Literal}', expected: identifier");
    }

    private SortedSet<string>? ParseSet()
    {
        if (Take() is { Kind: not LabelTokenKind.OpenParenthesis } open)
        {
            return Fail<SortedSet<string>>($"found '{open.Literal}' expected: '('");
        }

        var token = Peek().AsValue();
        switch (token.Kind)
        {
            case LabelTokenKind.ClosedParenthesis:
                Take();
                return Values("");
            case LabelTokenKind.Identifier or LabelTokenKind.Comma:
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
                case LabelTokenKind.Identifier:
                    values.Add(token.Literal);
                    var next = Peek();
                    if (next.Kind == LabelTokenKind.ClosedParenthesis)
                    {
                        return values;
                    }

                    if (next.Kind != LabelTokenKind.Comma)
                    {
                        return Fail<SortedSet<string>>($"found '{next.Literal}', expected: ',' or ')'");
                    }

                    break;
                case LabelTokenKind.Comma:
                    if (values.Count == 0 || Peek().Kind is LabelTokenKind.Comma or LabelTokenKind.ClosedParenthesis)
                    {
                        values.Add("");
                    }

                    if (Peek().Kind == LabelTokenKind.ClosedParenthesis)
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

    private LabelToken Peek() => _tokens[_position];

    /// <summary>The last token is the end, and stays.</summary>
    private LabelToken Take() => _position < _tokens.Count - 1 ? _tokens[_position++] : _tokens[_position];

    private T? Fail<T>(string error)
        where T : class
    {
        _error = error;
        return null;
    }
}
