namespace Orchestrator.Api.WebApps;

/// <summary>One place in the space of requests: a listener, a host name and a path prefix.</summary>
/// <param name="Port">Null is the proxy's shared listener.</param>
/// <param name="Host">Lower case; null is any host.</param>
/// <param name="Path">Normalized: starts with a slash and, but for the root, does not end in one.</param>
public readonly record struct RouteClaim(int? Port, string? Host, string Path)
{
    public override string ToString() => $"{Host ?? "*"}{(Port is { } port ? $":{port}" : "")}{Path}";
}

/// <summary>
/// Who serves what when several apps ask for the same: the oldest app (creationTimestamp, then namespace, then name) keeps a
/// claim; an app that loses one is still served at its others, so that adding a host that is taken breaks nothing. Controller
/// and proxy both decide by this.
/// </summary>
/// <param name="Holders">The one app that serves each claim.</param>
/// <param name="Lost">For each app that lost claims: which, and to whom.</param>
public sealed record RouteClaims(
    IReadOnlyDictionary<RouteClaim, WebApp> Holders,
    IReadOnlyDictionary<WebApp, IReadOnlyList<(RouteClaim Claim, WebApp Holder)>> Lost)
{
    public static IEnumerable<RouteClaim> Of(Route route)
    {
        var path = Normalize(route.Path ?? Route.DefaultPath);
        return route.Hosts is { Count: > 0 } hosts
            ? hosts.Select(host => new RouteClaim(route.Port, host.ToLowerInvariant(), path)).Distinct()
            : [new RouteClaim(route.Port, null, path)];
    }

    /// <summary>Decides for all apps together; apps being deleted and apps without a route take no part.</summary>
    public static RouteClaims Assign(IEnumerable<WebApp> apps)
    {
        var holders = new Dictionary<RouteClaim, WebApp>();
        var lost = new Dictionary<WebApp, IReadOnlyList<(RouteClaim, WebApp)>>(ReferenceEqualityComparer.Instance);
        foreach (var app in apps.Where(app => app.Spec.Route is not null && app.Metadata.DeletionTimestamp is null).Order(ByAge))
        {
            var refused = Of(app.Spec.Route!).Where(claim => !holders.TryAdd(claim, app)).Select(claim => (claim, holders[claim])).ToList();
            if (refused.Count > 0)
            {
                lost.Add(app, refused);
            }
        }

        return new RouteClaims(holders, lost);
    }

    private static readonly Comparer<WebApp> ByAge = Comparer<WebApp>.Create((left, right) =>
        (left.Metadata.CreationTimestamp ?? DateTime.MaxValue).CompareTo(right.Metadata.CreationTimestamp ?? DateTime.MaxValue) is not 0 and var age ? age
        : string.CompareOrdinal(left.Metadata.NamespaceProperty, right.Metadata.NamespaceProperty) is not 0 and var space ? space
        : string.CompareOrdinal(left.Metadata.Name, right.Metadata.Name));

    private static string Normalize(string path) => path.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : Route.DefaultPath;
}
