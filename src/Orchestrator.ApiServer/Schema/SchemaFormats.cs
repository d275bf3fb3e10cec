using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Orchestrator.ApiServer.Schema;

/// <summary>The string formats that are checked: those of apiextensions that any schema here can meet. Others are documentation.</summary>
internal static partial class SchemaFormats
{
    /// <returns>True also for a format that is not known.</returns>
    public static bool IsValid(string format, string text) => format switch
    {
        "date-time" => IsDateTime(text),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "byte" => IsBase64(text),
        "ipv4" => IPAddress.TryParse(text, out var address) && address.ToString() == text && !text.Contains(':', StringComparison.Ordinal),
        "ipv6" => text.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(text, out _),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "uri" => Uri.TryCreate(text, UriKind.Absolute, out _),
        _ => true,
    };

    /// <summary>Values of these are not repeated in messages: they may be secrets.</summary>
    public static bool IsSecret(string format) => format is "byte" or "password";

    /// <summary>RFC 3339, with or without a fraction.</summary>
    public static bool IsDateTime(string text) =>
        text.Length <= 64
        && DateTimePattern().IsMatch(text)
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static bool IsBase64(string text) => System.Buffers.Text.Base64.IsValid(text);

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}[tT][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex DateTimePattern();
}
