using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Orchestrator.ApiServer.Schema;

/// <summary>
/// A <c>pattern</c> of a schema. Kubernetes reads it as Go's RE2 syntax; here it becomes a .NET expression of the same meaning that,
/// as in Go, takes linear time whatever the text.
/// </summary>
internal sealed class SchemaPattern
{
    private readonly Regex _regex;

    private SchemaPattern(string source, Regex regex) => (Source, _regex) = (source, regex);

    /// <summary>As the CRD has it, for messages.</summary>
    public string Source { get; }

    public static bool TryCompile(
        string source, [NotNullWhen(true)] out SchemaPattern? pattern, [NotNullWhen(false)] out string? error)
    {
        try
        {
            // Non-backtracking expressions refuse what RE2 does: backreferences and lookaround.
            pattern = new SchemaPattern(source, new Regex(Translate(source), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
            error = null;
            return true;
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            (pattern, error) = (null, failure.Message);
            return false;
        }
    }

    public bool IsMatch(string text) => _regex.IsMatch(text);

    /// <summary>
    /// .NET's <c>$</c> also matches before a last line feed, and its classes <c>\d \w \s</c> are Unicode's; RE2's <c>$</c> is the end,
    /// and its classes are ASCII.
    /// </summary>
    private static string Translate(string source)
    {
        var result = new StringBuilder(source.Length + 8);
        var inClass = false;
        for (var index = 0; index < source.Length; index++)
        {
            var character = source[index];
            switch (character)
            {
                case '\\' when index + 1 < source.Length:
                    result.Append(Escape(source[++index], inClass));
                    continue;
                case '[' when !inClass:
                    inClass = true;
                    result.Append('[');

                    // A bracket that comes first is a member of the class.
                    if (index + 1 < source.Length && source[index + 1] == '^')
                    {
                        result.Append(source[++index]);
                    }

                    if (index + 1 < source.Length && source[index + 1] == ']')
                    {
                        index++;
                        result.Append("\\]");
                    }

                    continue;
                case '[' when index + 1 < source.Length && source[index + 1] != ':':
                    // Within a class .NET would read "-[" as a subtraction.
                    result.Append("\\[");
                    continue;
                case ']' when inClass:
                    inClass = false;
                    break;
                case '$' when !inClass:
                    result.Append("\\z");
                    continue;
            }

            result.Append(character);
        }

        return result.ToString();
    }

    private static string Escape(char character, bool inClass) => (character, inClass) switch
    {
        ('d', false) => "[0-9]",
        ('d', true) => "0-9",
        ('D', false) => "[^0-9]",
        ('w', false) => "[0-9A-Za-z_]",
        ('w', true) => "0-9A-Za-z_",
        ('W', false) => "[^0-9A-Za-z_]",
        ('s', false) => "[\\t\\n\\f\\r ]",
        ('s', true) => "\\t\\n\\f\\r ",
        ('S', false) => "[^\\t\\n\\f\\r ]",
        _ => "\\" + character,
    };
}
