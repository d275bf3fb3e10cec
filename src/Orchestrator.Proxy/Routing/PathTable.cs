using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// The path prefixes of one host name: the longest one wins, by whole segments (<c>/shop</c> has <c>/shop/cart</c>, not
/// <c>/shopping</c>). Costs a look-up a segment of the longest prefix there is, however many prefixes there are. Immutable.
/// </summary>
internal sealed class PathTable
{
    private readonly AppState? _root;
    private readonly Dictionary<string, AppState>.AlternateLookup<ReadOnlySpan<char>> _prefixes;
    private readonly int _deepest;

    /// <param name="apps">By normalized path as <see cref="RouteClaim.Path"/> is: percent-encoded as the user wrote it.</param>
    public PathTable(IEnumerable<(string Path, AppState App)> apps)
    {
        Dictionary<string, AppState>? prefixes = null;
        foreach (var (path, app) in apps)
        {
            if (path == Route.DefaultPath)
            {
                _root ??= app;
                continue;
            }

            // Requests are compared decoded, so /caf%C3%A9 and /café are one.
            var decoded = Decode(path);
            (prefixes ??= new(StringComparer.Ordinal)).TryAdd(decoded, app);
            _deepest = Math.Max(_deepest, decoded.AsSpan().Count('/'));
        }

        _prefixes = prefixes?.GetAlternateLookup<ReadOnlySpan<char>>() ?? default;
    }

    /// <param name="path">Decoded, without dot segments.</param>
    public AppState? Find(ReadOnlySpan<char> path)
    {
        if (_deepest == 0)
        {
            return _root;
        }

        var prefix = FirstSegments(path, _deepest);
        while (prefix.Length > 1)
        {
            if (_prefixes.TryGetValue(prefix, out var app))
            {
                return app;
            }

            prefix = prefix[..Math.Max(0, prefix.LastIndexOf('/'))];
        }

        return _root;
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

    private static string Decode(string path) => PathString.FromUriComponent(path).Value ?? path;
}
