using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// The paths of one host name: an exact one wins, then the longest prefix by whole segments (<c>/shop</c> has <c>/shop/cart</c>,
/// not <c>/shopping</c>), and of one path what asks most of the request. Where that does not fit, the next is asked. Costs a
/// look-up a segment of the longest prefix there is, however many prefixes there are. Immutable.
/// </summary>
internal sealed class PathTable
{
    private readonly RouteEntry[]? _root;
    private readonly Dictionary<string, RouteEntry[]>.AlternateLookup<ReadOnlySpan<char>> _exact;
    private readonly Dictionary<string, RouteEntry[]>.AlternateLookup<ReadOnlySpan<char>> _prefixes;
    private readonly bool _hasExact;
    private readonly int _deepest;

    /// <param name="entries">By path as <see cref="RouteClaim.Path"/> is: percent-encoded as the user wrote it. The oldest first.</param>
    public PathTable(IEnumerable<(string Path, bool Exact, RouteEntry Entry)> entries)
    {
        Dictionary<string, RouteEntry[]>? paths = null;
        Dictionary<string, RouteEntry[]>? prefixes = null;
        foreach (var (path, exact, entry) in entries)
        {
            if (exact)
            {
                Add(ref paths, Decode(path), entry);
            }
            else if (path == Route.DefaultPath)
            {
                _root = RouteEntry.Insert(_root, entry);
            }
            else
            {
                // Requests are compared decoded, so /caf%C3%A9 and /café are one.
                var decoded = Decode(path);
                Add(ref prefixes, decoded, entry);
                _deepest = Math.Max(_deepest, decoded.AsSpan().Count('/'));
            }
        }

        _hasExact = paths is not null;
        _exact = paths?.GetAlternateLookup<ReadOnlySpan<char>>() ?? default;
        _prefixes = prefixes?.GetAlternateLookup<ReadOnlySpan<char>>() ?? default;
    }

    /// <param name="path">Decoded, without dot segments.</param>
    /// <param name="request">Null: only what asks for nothing more is found.</param>
    public RouteEntry? Find(ReadOnlySpan<char> path, HttpRequest? request)
    {
        if (_hasExact && _exact.TryGetValue(path, out var entries) && RouteEntry.Find(entries, request) is { } exactly)
        {
            return exactly;
        }

        if (_deepest == 0)
        {
            return RouteEntry.Find(_root, request);
        }

        var prefix = FirstSegments(path, _deepest);
        while (prefix.Length > 1)
        {
            if (_prefixes.TryGetValue(prefix, out entries) && RouteEntry.Find(entries, request) is { } entry)
            {
                return entry;
            }

            prefix = prefix[..Math.Max(0, prefix.LastIndexOf('/'))];
        }

        return RouteEntry.Find(_root, request);
    }

    /// <summary>A path of a route as requests are compared with it.</summary>
    internal static string Decode(string path) => PathString.FromUriComponent(path).Value ?? path;

    private static void Add(ref Dictionary<string, RouteEntry[]>? paths, string path, RouteEntry entry)
    {
        paths ??= new(StringComparer.Ordinal);
        paths[path] = RouteEntry.Insert(paths.GetValueOrDefault(path), entry);
    }

    private static ReadOnlySpan<char> FirstSegments(ReadOnlySpan<char> path, int count)
    {
        // The first slash begins the first segment; the one after the last wanted segment ends it.
        for (int i = 0, slashes = 0; i < path.Length; i++)
        {
            if (path[i] == '/' && ++slashes > count)
            {
                return path[..i];
            }
        }

        return path.Length > 1 && path[^1] == '/' ? path[..^1] : path;
    }
}
