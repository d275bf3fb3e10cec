using System.Globalization;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// What live proxies say they cannot serve (<see cref="Annotations.ListenerErrors"/>), by the apps that it concerns.
/// </summary>
internal sealed class ListenerErrors
{
    private const string ByPlace = "listener-place";

    private readonly SharedInformers _informers;
    private readonly LiveProxies _proxies;

    public ListenerErrors(SharedInformers informers, LiveProxies proxies)
    {
        (_informers, _proxies) = (informers, proxies);
        informers.WebApps.AddIndex(ByPlace, PlacesOf);
    }

    /// <summary>For people, what proxies say of the app's own listener; and when a Lease among them runs out, unless it is renewed.</summary>
    public (IReadOnlyList<string> Errors, TimeSpan? RecheckAfter) Of(WebApp app)
    {
        var places = PlacesOf(app).ToHashSet(StringComparer.Ordinal);
        if (places.Count == 0)
        {
            return ([], null);
        }

        var found = new List<(string Error, string Proxy, TimeSpan Left)>();
        foreach (var (key, lease, left) in _proxies.Leases)
        {
            found.AddRange(Read(lease).Where(error => places.Contains(error.Place)).Select(error => ($"{error.Place}: {error.Reason}", key.Name, left)));
        }

        var errors = found
            .GroupBy(one => one.Error, one => one.Proxy)
            .OrderBy(same => same.Key, StringComparer.Ordinal)
            .Select(same => $"{same.Key} (proxy {same.Min(StringComparer.Ordinal)}{(same.Count() > 1 ? $" and {same.Count() - 1} more" : "")})");
        return ([.. errors], found.Count == 0 ? null : found.Min(one => one.Left));
    }

    /// <summary>The apps of which a proxy says something else than before. Its renewals, every few seconds, concern nobody.</summary>
    public IEnumerable<ObjectKey> AffectedBy(InformerEvent<V1Lease> change) => Text(change.Old) == Text(change.New)
        ? []
        : Read(change.Old).Concat(Read(change.New))
            .Select(error => error.Place)
            .Distinct()
            .SelectMany(place => _informers.WebApps.ByIndex(ByPlace, place))
            .Select(ObjectKey.Of)
            .Distinct();

    // An app without a port of its own is served by the shared listener, without which a proxy does not run, and by that for TLS.
    private static IEnumerable<string> PlacesOf(WebApp app) => app.Spec.Route is { Port: { } port } route
        ? RouteClaims.Of(route).Select(claim => claim.ToString()).Append(port.ToString(CultureInfo.InvariantCulture))
        : app.Spec.Route?.Tls is not null ? [Annotations.TlsListener]
        : [];

    private static string? Text(V1Lease? lease) =>
        lease?.Metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.ListenerErrors, out var text) ? text : null;

    private static IEnumerable<(string Place, string Reason)> Read(V1Lease? lease) => (Text(lease) ?? "")
        .Split("; ")
        .Select(entry => entry.Split(": ", 2))
        .Where(parts => parts.Length == 2)
        .Select(parts => (parts[0], parts[1]));
}
