namespace Orchestrator.Api.WebApps;

/// <summary>
/// How many positions a regular expression has with its counted repeats written out: <c>(ab){3}</c> has six. Never too few; the
/// expression need not be valid.
/// </summary>
public static class PatternSize
{
    public static long Of(string pattern)
    {
        // What each open group has so far, and the last atom, which a repeat repeats.
        var outer = new Stack<long>();
        long sum = 0, atom = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '(':
                    outer.Push(sum + atom);
                    (sum, atom) = (0, 0);
                    break;
                case ')' when outer.Count > 0:
                    (atom, sum) = (sum + atom, outer.Pop());
                    break;
                case '{' when RepeatAt(pattern, i) is { } repeat:
                    atom = Limit(atom * Math.Max(1, repeat.Times));
                    i = repeat.End;
                    break;
                case '[':
                    sum = Limit(sum + atom);
                    atom = 1;
                    i = EndOfClass(pattern, i);
                    break;
                case '\\':
                    sum = Limit(sum + atom);
                    atom = 1;
                    i++;
                    break;
                default:
                    sum = Limit(sum + atom);
                    atom = 1;
                    break;
            }
        }

        for (sum += atom; outer.Count > 0; sum = Limit(sum + outer.Pop()))
        {
            // Groups that never close.
        }

        return sum;
    }

    // Far beyond what is allowed, and nothing overflows.
    private static long Limit(long size) => Math.Min(size, 1_000_000);

    /// <summary>{3}, {3,} or {3,5}; anything else in braces is text.</summary>
    private static (long Times, int End)? RepeatAt(string pattern, int start)
    {
        var end = pattern.IndexOf('}', start);
        if (end < 0)
        {
            return null;
        }

        long most = 0;
        foreach (var part in pattern[(start + 1)..end].Split(',', 2))
        {
            if (part.Length > 0 && !part.All(char.IsAsciiDigit))
            {
                return null;
            }

            most = Math.Max(most, part.Length is > 0 and <= 9 ? long.Parse(part, System.Globalization.CultureInfo.InvariantCulture) : part.Length == 0 ? 0 : 1_000_000);
        }

        return (Limit(most), end);
    }

    private static int EndOfClass(string pattern, int start)
    {
        // A bracket that closes at once is a member: []a] and [^]a].
        var first = start + (start + 1 < pattern.Length && pattern[start + 1] == '^' ? 2 : 1);
        for (var i = first; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    break;
                case '[' when pattern[i - 1] == '-':
                    i = EndOfClass(pattern, i);
                    break;
                case ']' when i > first:
                    return i;
            }
        }

        // It never closes: no expression, and so no size either.
        return pattern.Length;
    }
}
