using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Api.WebApps;

/// <summary>
/// A regular expression that a header's whole value must fit. Users write them and strangers send the values, so the time a
/// match takes is bounded: no backtracking (time grows with the value's length alone), a bounded automaton and bounded values.
/// </summary>
public sealed class HeaderPattern
{
    /// <summary>Characters of a pattern.</summary>
    public const int MaxLength = 512;

    /// <summary>
    /// Positions of a pattern with its counted repeats written out, of which each may be looked at for each character of a value.
    /// Default 1000: room for lists of names and dates, and 4 million steps at the worst.
    /// </summary>
    public const int MaxPositions = 1000;

    /// <summary>Characters of a value; longer ones fit no pattern.</summary>
    public const int MaxValueLength = 4096;

    private readonly Regex _whole;

    private HeaderPattern(Regex whole) => _whole = whole;

    /// <param name="problem">For people, why it is no pattern.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out HeaderPattern? pattern, [NotNullWhen(false)] out string? problem)
    {
        pattern = null;
        problem = null;
        if (text.Length > MaxLength)
        {
            problem = string.Create(CultureInfo.InvariantCulture, $"may have at most {MaxLength} characters");
            return false;
        }

        // Before it is built: that alone takes time and memory by the size.
        if (PatternSize.Of(text) > MaxPositions)
        {
            problem = string.Create(CultureInfo.InvariantCulture, $"repeats too much: written out it may have at most {MaxPositions} positions");
            return false;
        }

        try
        {
            const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture;

            // Alone first: "a)(b" would be one within our parentheses.
            _ = new Regex(text, Options);
            pattern = new HeaderPattern(new Regex($@"\A(?:{text})\z", Options));
            return true;
        }
        catch (ArgumentException invalid)
        {
            problem = $"is no regular expression: {invalid.Message}";
        }
        catch (NotSupportedException)
        {
            problem = "must do without lookarounds, backreferences, conditionals and atomic groups: what needs backtracking may take for ever";
        }

        return false;
    }

    public bool Fits(string value) => value.Length <= MaxValueLength && _whole.IsMatch(value);
}
