using System.Buffers;

namespace Orchestrator.Proxy.Routing;

internal static class FieldNames
{
    /// <summary>Of a token (RFC 9110, 5.6.2).</summary>
    private static readonly SearchValues<char> Letters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool IsName(string? name) => name is { Length: > 0 } && !name.AsSpan().ContainsAnyExcept(Letters);
}
