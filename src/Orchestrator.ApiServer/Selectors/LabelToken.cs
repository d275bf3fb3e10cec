namespace Orchestrator.ApiServer.Selectors;

/// <summary>What a token of a label selector is.</summary>
internal enum LabelTokenKind
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

/// <summary>A token of a label selector.</summary>
internal readonly record struct LabelToken(LabelTokenKind Kind, string Literal)
{
    /// <summary>The last token is always the end.</summary>
    public static IReadOnlyList<LabelToken> Scan(string text)
    {
        var tokens = new List<LabelToken>();
        var position = 0;
        while (true)
        {
            while (position < text.Length && IsSpace(text[position]))
            {
                position++;
            }

            if (position == text.Length)
            {
                tokens.Add(new LabelToken(LabelTokenKind.End, ""));
                return tokens;
            }

            tokens.Add(IsSpecial(text[position]) ? ScanSymbol(text, ref position) : ScanWord(text, ref position));
        }
    }

    private static LabelToken ScanWord(string text, ref int position)
    {
        var start = position;
        while (position < text.Length && !IsSpecial(text[position]) && !IsSpace(text[position]))
        {
            position++;
        }

        var word = text[start..position];
        return new LabelToken(word switch { "in" => LabelTokenKind.In, "notin" => LabelTokenKind.NotIn, _ => LabelTokenKind.Identifier }, word);
    }

    private static LabelToken ScanSymbol(string text, ref int position)
    {
        if (text[position] is '=' or '!' && position + 1 < text.Length && text[position + 1] == '=')
        {
            var kind = text[position] == '=' ? LabelTokenKind.DoubleEquals : LabelTokenKind.NotEquals;
            position += 2;
            return new LabelToken(kind, text[(position - 2)..position]);
        }

        var symbol = text[position++];
        return new LabelToken(
            symbol switch
            {
                ')' => LabelTokenKind.ClosedParenthesis,
                '(' => LabelTokenKind.OpenParenthesis,
                ',' => LabelTokenKind.Comma,
                '!' => LabelTokenKind.Not,
                '=' => LabelTokenKind.Equals,
                '>' => LabelTokenKind.GreaterThan,
                '<' => LabelTokenKind.LessThan,
                _ => LabelTokenKind.Error,
            },
            symbol.ToString());
    }

    private static bool IsSpace(char character) => character is ' ' or '\t' or '\r' or '\n';

    private static bool IsSpecial(char character) => character is '=' or '!' or '(' or ')' or ',' or '>' or '<';

    /// <summary>Where a value stands, <c>in</c> and <c>notin</c> are values like any other.</summary>
    public LabelToken AsValue() => Kind is LabelTokenKind.In or LabelTokenKind.NotIn ? this with { Kind = LabelTokenKind.Identifier } : this;
}
