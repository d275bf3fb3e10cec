using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// The host names of one listener. The most specific name that has a matching path serves the request: the exact name, then the
/// longest wildcard (<c>*.example.org</c> stands for one label or more), then the apps for any host. Immutable.
/// </summary>
internal sealed class HostTable
{
    private readonly Dictionary<string, PathTable>.AlternateLookup<ReadOnlySpan<char>> _exact;
    private readonly Dictionary<string, PathTable>.AlternateLookup<ReadOnlySpan<char>> _wildcards;
    private readonly PathTable? _any;

    /// <param name="claims">With what is found there, the oldest first: of two for the same place the first one counts.</param>
    public HostTable(IEnumerable<(RouteClaim Claim, RouteEntry Entry)> claims)
    {
        var exact = new Dictionary<string, PathTable>(StringComparer.OrdinalIgnoreCase);
        var wildcards = new Dictionary<string, PathTable>(StringComparer.OrdinalIgnoreCase);
        foreach (var claimed in claims.GroupBy(held => held.Claim.Host ?? "", StringComparer.OrdinalIgnoreCase))
        {
            var paths = new PathTable(claimed.Select(held => (held.Claim.Path, held.Claim.Exact, held.Entry)));
            if (claimed.Key.Length == 0)
            {
                _any = paths;
            }
            else if (claimed.Key.StartsWith("*.", StringComparison.Ordinal))
            {
                wildcards.Add(claimed.Key[2..], paths);
            }
            else
            {
                exact.Add(claimed.Key, paths);
            }
        }

        _exact = exact.GetAlternateLookup<ReadOnlySpan<char>>();
        _wildcards = wildcards.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <param name="host">A host name without port; in any case, empty if the request had none.</param>
    /// <param name="path">Decoded, without dot segments.</param>
    /// <param name="request">Null: only what asks for nothing more is found.</param>
    public RouteEntry? Find(ReadOnlySpan<char> host, ReadOnlySpan<char> path, HttpRequest? request)
    {
        if (_exact.Dictionary.Count > 0 && _exact.TryGetValue(host, out var paths) && paths.Find(path, request) is { } exactly)
        {
            return exactly;
        }

        if (_wildcards.Dictionary.Count > 0)
        {
            for (var dot = host.IndexOf('.'); dot >= 0; dot = host.IndexOf('.'))
            {
                host = host[(dot + 1)..];
                if (_wildcards.TryGetValue(host, out paths) && paths.Find(path, request) is { } entry)
                {
                    return entry;
                }
            }
        }

        return _any?.Find(path, request);
    }
}
