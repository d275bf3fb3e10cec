using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// What a route says of requests beyond host and path. Plain data. A route without any of it has none, and its requests pay nothing.
/// </summary>
internal sealed record RouteRules
{
    /// <summary>Normalized, as in the claims of the route itself.</summary>
    public string Path { get; init; } = Route.DefaultPath;

    public bool Exact { get; init; }

    /// <summary>Of the route itself; none is any.</summary>
    public IList<string>? Hosts { get; init; }

    public RouteMatch? Match { get; init; }

    public RouteRewrite? Rewrite { get; init; }

    public HeaderEdits? RequestHeaders { get; init; }

    public HeaderEdits? ResponseHeaders { get; init; }

    public IList<RouteRedirect>? Redirects { get; init; }

    /// <summary><see cref="ProxyProtocolVersions"/>; null is none.</summary>
    public string? ProxyProtocol { get; init; }

    /// <summary>A file that parses may have been written by anybody, and a schema may have been left out.</summary>
    public bool IsUsable =>
        Path is ['/', ..]
        && All(Match?.Methods, static method => method.Length > 0)
        && All(Match?.Headers, static header => FieldNames.IsName(header.Name) && header.Value is not null)
        && IsUsableEdits(RequestHeaders)
        && IsUsableEdits(ResponseHeaders)
        && All(Hosts, static host => host.Length > 0)
        && ProxyProtocol is null or ProxyProtocolVersions.V1 or ProxyProtocolVersions.V2
        && Rewrite?.Path is null or ['/', ..]
        && All(Redirects, static redirect => redirect is { Path: null or ['/', ..], To.Length: > 0, Status: null or (>= 300 and < 400) });

    /// <summary>Null when the route has nothing of the kind.</summary>
    public static RouteRules? Of(Route route)
    {
        var exact = route.PathType == PathTypes.Exact;
        var rules = new RouteRules
        {
            Match = route.Match is { IsEmpty: false } match ? match : null,
            Rewrite = route.Rewrite is { Path: null, Host: null } ? null : route.Rewrite,
            RequestHeaders = route.RequestHeaders is { IsEmpty: false } request ? request : null,
            ResponseHeaders = route.ResponseHeaders is { IsEmpty: false } response ? response : null,
            Redirects = route.Redirects is { Count: > 0 } redirects ? redirects : null,
            ProxyProtocol = route.ProxyProtocol,
        };
        return rules is { Match: null, Rewrite: null, RequestHeaders: null, ResponseHeaders: null, Redirects: null, ProxyProtocol: null }
            ? null
            : rules with { Path = RouteClaims.PathOf(route.Path, exact), Exact = exact, Hosts = route.Hosts is { Count: > 0 } hosts ? hosts : null };
    }

    private static bool IsUsableEdits(HeaderEdits? edits) =>
        All(edits?.Set, IsUsableValue) && All(edits?.Add, IsUsableValue) && All(edits?.Remove, FieldNames.IsName);

    private static bool IsUsableValue(HeaderValue header) =>
        FieldNames.IsName(header.Name) && header.Value is { } value && value.All(static letter => letter is '\t' or (>= ' ' and <= '~'));

    private static bool All<T>(IList<T>? items, Predicate<T> isUsable)
        where T : class => items is null || items.All(item => item is not null && isUsable(item));
}
