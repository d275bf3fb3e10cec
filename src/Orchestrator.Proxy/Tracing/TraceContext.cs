using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Orchestrator.Proxy.Balancing;

namespace Orchestrator.Proxy.Tracing;

/// <summary>
/// W3C Trace Context: a request that is part of a trace stays in it, whoever sends it. Its headers go on like any.
/// </summary>
internal static class TraceContext
{
    private const int VersionZeroLength = 55;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    /// <summary>Drops what is no trace, and begins one where there is none if that is wanted.</summary>
    /// <param name="random">Null: none is begun.</param>
    public static void Continue(IHeaderDictionary headers, SharedRandom? random)
    {
        if (headers.TraceParent is { Count: > 0 } parent)
        {
            if (parent is [{ } value] && IsValid(value))
            {
                return;
            }

            // The state belongs to a parent (Trace Context, 3.3).
            headers.TraceParent = default;
            headers.TraceState = default;
        }

        if (random is not null)
        {
            // Not sampled: nobody here records it.
            headers.TraceParent = string.Create(
                CultureInfo.InvariantCulture, $"00-{random.NextBits() | 1:x16}{random.NextBits():x16}-{random.NextBits() | 1:x16}-00");
        }
    }

    /// <summary>The id of the trace that a request is in; null: in none.</summary>
    public static string? TraceIdOf(StringValues parent) => parent is [{ Length: >= VersionZeroLength } value] ? value[3..35] : null;

    /// <summary>What a span of ours is to be a child of; default: nothing, it begins a trace. After <see cref="Continue"/>.</summary>
    public static ActivityContext ParentOf(IHeaderDictionary headers) =>
        headers.TraceParent is [{ Length: >= VersionZeroLength } parent]
        && ActivityContext.TryParse(parent[..VersionZeroLength], headers.TraceState.ToString(), isRemote: true, out var context)
            ? context
            : default;

    /// <summary>version-traceid-parentid-flags in small hex, neither id all zeros; a later version may have more after it.</summary>
    internal static bool IsValid(ReadOnlySpan<char> parent) =>
        parent.Length >= VersionZeroLength
        && parent[2] == '-' && parent[35] == '-' && parent[52] == '-'
        && IsHex(parent[..2]) && IsHex(parent[3..35]) && IsHex(parent[36..52]) && IsHex(parent[53..55])
        && parent[3..35].ContainsAnyExcept('0') && parent[36..52].ContainsAnyExcept('0')
        && parent[..2] is not "ff"
        && (parent.Length == VersionZeroLength || (parent[..2] is not "00" && parent[VersionZeroLength] == '-'));

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Hex);
}
