using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>The part of a request's path that a route names, and what may stand in its place.</summary>
internal sealed class PathPrefix
{
    private readonly string _decoded;
    private readonly bool _exact;

    /// <param name="path">As the user wrote it; null is the root.</param>
    /// <param name="exact">It is all of the path.</param>
    public PathPrefix(string? path, bool exact)
    {
        var decoded = PathTable.Decode(path ?? Route.DefaultPath);
        (_decoded, _exact) = (exact ? decoded : decoded.TrimEnd('/'), exact);
    }

    /// <param name="path">Decoded, without dot segments; has the prefix.</param>
    /// <param name="rawTarget">As the client sent it.</param>
    /// <param name="with">Stands where the prefix was.</param>
    /// <returns>Percent-encoded, without a query. What follows the prefix is as the client sent it, byte for byte, where that can be.</returns>
    public string Replace(PathString path, string rawTarget, string with)
    {
        var rest = _exact ? [] : Rest(path, rawTarget);
        return rest.Length == 0 ? with : string.Concat(with.AsSpan().TrimEnd('/'), rest);
    }

    private ReadOnlySpan<char> Rest(PathString path, string rawTarget)
    {
        var raw = rawTarget.AsSpan();
        raw = raw.IndexOf('?') is >= 0 and var query ? raw[..query] : raw;
        var decoded = path.Value ?? "";

        // Where dot segments were taken out the two have other segments, and an absolute target is no path: then encoded anew.
        return raw is ['/', ..] && raw.Count('/') == decoded.AsSpan().Count('/')
            ? AfterSegments(raw, _decoded.AsSpan().Count('/'))
            : new PathString(decoded.Length > _decoded.Length ? decoded[_decoded.Length..] : "").ToUriComponent();
    }

    private static ReadOnlySpan<char> AfterSegments(ReadOnlySpan<char> path, int segments)
    {
        for (int i = 0, slashes = 0; i < path.Length; i++)
        {
            if (path[i] == '/' && slashes++ == segments)
            {
                return path[i..];
            }
        }

        return [];
    }
}
