using System.Globalization;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Acme;

/// <summary>
/// The hosts that an app with <see cref="RouteTls.Acme"/> may have a certificate for: those at which it holds a claim. Proxies answer for every
/// host, so that without this an app could have one for a host of another's.
/// </summary>
internal sealed class HeldHosts
{
    private const string ByPlace = "acme-place";

    private readonly Informer<WebApp> _apps;

    public HeldHosts(Informer<WebApp> apps)
    {
        _apps = apps;
        apps.AddIndex(ByPlace, app => PlacesOf(app).Distinct());
    }

    /// <summary>In the order of the alphabet.</summary>
    public IReadOnlyList<string> Of(WebApp app)
    {
        var key = ObjectKey.Of(app);
        var wanted = AcmeCertificates.HostsOf(app.Spec.Route!).ToHashSet(StringComparer.Ordinal);
        var rivals = PlacesOf(app).SelectMany(place => _apps.ByIndex(ByPlace, place)).Where(rival => ObjectKey.Of(rival) != key).DistinctBy(ObjectKey.Of).Append(app);
        return
        [
            .. RouteClaims.Assign(rivals).Held.Where(entry => ObjectKey.Of(entry.App) == key).SelectMany(entry => entry.Claims)
                .Select(claim => claim.Host).OfType<string>().Where(wanted.Contains).Distinct().Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>Apps with ordered certificates whose hosts may be others by a change of this one.</summary>
    public IEnumerable<ObjectKey> AffectedBy(InformerEvent<WebApp> change) =>
        new[] { change.Old, change.New }.OfType<WebApp>().SelectMany(PlacesOf).Distinct()
            .SelectMany(place => _apps.ByIndex(ByPlace, place))
            .Where(app => app.Spec.Route?.Tls is { IsOrdered: true })
            .Select(ObjectKey.Of).Where(key => key != change.Key).Distinct();

    /// <summary>Where it may meet others: its hosts, and a port of its own, which is for requests or for connections.</summary>
    private static IEnumerable<string> PlacesOf(WebApp app) => app.Spec.Route is not { } route ? []
        : RouteClaims.Of(route).Select(claim => claim.Host).OfType<string>()
            .Concat(route.Port is { } port ? [string.Create(CultureInfo.InvariantCulture, $":{port}")] : []);
}
