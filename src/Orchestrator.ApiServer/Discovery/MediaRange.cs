using System.Globalization;

namespace Orchestrator.ApiServer.Discovery;

/// <summary>One element of an Accept header (RFC 9110, 12.5.1): a type, its parameters, and how much it is wanted.</summary>
/// <param name="Type">Lower case, such as <c>application/json</c>; may have wildcards.</param>
/// <param name="Parameters">Without <c>q</c>. Names in lower case.</param>
/// <param name="Quality">From 0, not acceptable, to 1, the default.</param>
public sealed record MediaRange(string Type, IReadOnlyDictionary<string, string> Parameters, double Quality)
{
    /// <summary>Elements of one header; what comes after is ignored. Clients send up to six.</summary>
    private const int MaxElements = 64;

    private static readonly Dictionary<string, string> NoParameters = [];

    /// <summary>What is accepted, most wanted first; of equal wants in the order of the header.</summary>
    /// <param name="accept">Null or empty accepts everything.</param>
    public static IReadOnlyList<MediaRange> Parse(string? accept)
    {
        if (string.IsNullOrWhiteSpace(accept))
        {
            return [new MediaRange("*/*", NoParameters, 1)];
        }

        // OrderBy is stable.
        return
        [
            .. accept.Split(',', MaxElements + 1, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Take(MaxElements)
                .Select(ParseElement)
                .Where(range => range.Quality > 0)
                .OrderByDescending(range => range.Quality),
        ];
    }

    public string? Parameter(string name) => Parameters.GetValueOrDefault(name);

    /// <param name="type">A type without wildcards.</param>
    public bool Covers(string type) =>
        Type == type || Type == "*/*" || (Type.EndsWith("/*", StringComparison.Ordinal) && type.StartsWith(Type[..^1], StringComparison.Ordinal));

    private static MediaRange ParseElement(string element)
    {
        var parts = element.Split(';', StringSplitOptions.TrimEntries);
        if (parts.Length == 1)
        {
            return new MediaRange(parts[0].ToLowerInvariant(), NoParameters, 1);
        }

        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        var quality = 1.0;
        foreach (var part in parts.Skip(1))
        {
            var (name, value) = part.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at
                ? (part[..at].Trim().ToLowerInvariant(), part[(at + 1)..].Trim().Trim('"'))
                : (part.ToLowerInvariant(), "");
            if (name == "q")
            {
                quality = double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var wanted)
                    ? Math.Clamp(wanted, 0, 1)
                    : 0;
            }
            else if (name.Length > 0)
            {
                parameters[name] = value;
            }
        }

        return new MediaRange(parts[0].ToLowerInvariant(), parameters, quality);
    }
}
