using System.Globalization;

namespace Orchestrator.Api.WebApps;

/// <summary>One place in the space of requests: a listener, a host name, a path and what else requests must be.</summary>
/// <param name="Port">Null is the proxy's shared listener.</param>
/// <param name="Host">Lower case; null is any host.</param>
/// <param name="Path">Starts with a slash. A prefix is normalized: but for the root, it does not end in a slash.</param>
/// <param name="Exact">The path alone, not what is below it.</param>
/// <param name="Match">Text of the <see cref="RouteMatch"/>; null is any request.</param>
/// <param name="IsTcp">All of the port, which is no place for requests then.</param>
public readonly record struct RouteClaim(int? Port, string? Host, string Path, bool Exact = false, string? Match = null, bool IsTcp = false)
{
    /// <summary>Characters of a match that are shown: conditions and annotations have limits.</summary>
    private const int MaxShown = 120;

    /// <summary>All connections to a port.</summary>
    public static RouteClaim Tcp(int port) => new(port, null, Route.DefaultPath, IsTcp: true);

    public override string ToString() => IsTcp ? string.Create(CultureInfo.InvariantCulture, $"tcp:{Port}") :
        $"{Host ?? "*"}{(Port is { } port ? $":{port}" : "")}{Path}{(Exact ? " (exact)" : "")}{(Match is null ? "" : $" [{Show(Match)}]")}";

    // Proxies tell of claims in a list that is divided by colons and semicolons.
    private static string Show(string match)
    {
        var shown = match.Replace("%", "%25", StringComparison.Ordinal).Replace(":", "%3A", StringComparison.Ordinal).Replace(";", "%3B", StringComparison.Ordinal);
        return shown.Length <= MaxShown ? shown : string.Create(CultureInfo.InvariantCulture, $"{shown.AsSpan(0, MaxShown)}… #{Hash(match):x8}");
    }

    /// <summary>FNV-1a: tells apart two long ones that begin alike, in every process.</summary>
    private static uint Hash(string text) => text.Aggregate(2166136261u, static (hash, letter) => unchecked((hash ^ letter) * 16777619));
}

/// <summary>
/// Who serves what when several apps ask for the same: the oldest app (creationTimestamp, then namespace, then name) keeps a
/// claim; an app that loses one is still served at its others, so that adding a host that is taken breaks nothing. A port is for
/// requests or for connections (<see cref="Route.IsTcp"/>), as the oldest app that names it wants. Controller and proxy both decide by
/// this.
/// </summary>
/// <param name="Holders">The one app that serves each claim.</param>
/// <param name="Held">Each app that holds claims, with them, the oldest app first.</param>
/// <param name="Lost">For each app that lost claims: which, and to whom.</param>
public sealed record RouteClaims(
    IReadOnlyDictionary<RouteClaim, WebApp> Holders,
    IReadOnlyList<(WebApp App, IReadOnlyList<RouteClaim> Claims)> Held,
    IReadOnlyDictionary<WebApp, IReadOnlyList<(RouteClaim Claim, WebApp Holder)>> Lost)
{
    /// <summary>The route's own and those of its redirects.</summary>
    public static IEnumerable<RouteClaim> Of(Route route)
    {
        if (route.IsTcp)
        {
            return route.Port is { } port ? [RouteClaim.Tcp(port)] : [];
        }

        var match = route.Match is { IsEmpty: false } asked ? asked.ToString() : null;
        var own = Of(route.Port, route.Hosts, route.Path, route.PathType, match);
        return route.Redirects is { Count: > 0 } redirects
            ? own.Concat(redirects.SelectMany(redirect => Of(route, redirect))).Distinct()
            : own;
    }

    /// <summary>What a redirect of the route claims.</summary>
    public static IEnumerable<RouteClaim> Of(Route route, RouteRedirect redirect) =>
        Of(route.Port, redirect.Hosts is { Count: > 0 } hosts ? hosts : route.Hosts, redirect.Path, redirect.PathType, match: null);

    /// <summary>Decides for all apps together; apps being deleted and apps without a route take no part.</summary>
    public static RouteClaims Assign(IEnumerable<WebApp> apps)
    {
        var holders = new Dictionary<RouteClaim, WebApp>();
        var oldest = new Dictionary<int, WebApp>();
        var held = new List<(WebApp, IReadOnlyList<RouteClaim>)>();
        var lost = new Dictionary<WebApp, IReadOnlyList<(RouteClaim, WebApp)>>(ReferenceEqualityComparer.Instance);
        foreach (var app in apps.Where(app => app.Spec.Route is not null && app.Metadata.DeletionTimestamp is null).Order(ByAge))
        {
            List<RouteClaim> kept = [];
            List<(RouteClaim, WebApp)>? refused = null;
            var route = app.Spec.Route!;
            var first = route.Port is not { } port || oldest.TryAdd(port, app) ? app : oldest[port];
            foreach (var claim in Of(route))
            {
                if (first.Spec.Route!.IsTcp != route.IsTcp)
                {
                    (refused ??= []).Add((claim, first));
                }
                else if (holders.TryAdd(claim, app))
                {
                    kept.Add(claim);
                }
                else
                {
                    (refused ??= []).Add((claim, holders[claim]));
                }
            }

            if (kept.Count > 0)
            {
                held.Add((app, kept));
            }

            if (refused is not null)
            {
                lost.Add(app, refused);
            }
        }

        return new RouteClaims(holders, held, lost);
    }

    private static readonly Comparer<WebApp> ByAge = Comparer<WebApp>.Create((left, right) =>
        (left.Metadata.CreationTimestamp ?? DateTime.MaxValue).CompareTo(right.Metadata.CreationTimestamp ?? DateTime.MaxValue) is not 0 and var age ? age
        : string.CompareOrdinal(left.Metadata.NamespaceProperty, right.Metadata.NamespaceProperty) is not 0 and var space ? space
        : string.CompareOrdinal(left.Metadata.Name, right.Metadata.Name));

    /// <summary>A path as claims have it; null is the root.</summary>
    public static string PathOf(string? path, bool exact) => exact ? path ?? Route.DefaultPath : Normalize(path ?? Route.DefaultPath);

    private static IEnumerable<RouteClaim> Of(int? port, IList<string>? hosts, string? path, string? pathType, string? match)
    {
        var exact = pathType == PathTypes.Exact;
        var place = PathOf(path, exact);
        return hosts is { Count: > 0 }
            ? hosts.Select(host => new RouteClaim(port, host.ToLowerInvariant(), place, exact, match)).Distinct()
            : [new RouteClaim(port, null, place, exact, match)];
    }

    private static string Normalize(string path) => path.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : Route.DefaultPath;
}
