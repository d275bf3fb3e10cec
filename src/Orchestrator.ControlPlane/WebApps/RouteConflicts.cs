using System.Globalization;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Which of an app's route claims other apps hold. Looks only at the apps that share a claim with it, so that a change of one
/// among thousands costs nothing; at all of its port only where one wants it for TCP.
/// </summary>
internal sealed class RouteConflicts
{
    private const string ByClaim = "route-claim";
    private const string ByPort = "route-port";

    private readonly Informer<WebApp> _apps;

    public RouteConflicts(Informer<WebApp> apps)
    {
        _apps = apps;
        apps.AddIndex(ByClaim, app => ClaimsOf(app).Select(claim => claim.ToString()));
        apps.AddIndex(ByPort, app => app.Spec.Route?.Port is { } port ? [PortKey(port)] : []);
    }

    /// <summary>For people, one a claim that is lost: what and to whom.</summary>
    public IReadOnlyList<string> LostBy(WebApp app)
    {
        var key = ObjectKey.Of(app);
        var rivals = RivalsOf(app).Where(rival => ObjectKey.Of(rival) != key).Append(app);
        return RouteClaims.Assign(rivals).Lost.TryGetValue(app, out var lost)
            ? [.. lost.Select(entry => $"{entry.Claim} is served by {ObjectKey.Of(entry.Holder)}{Otherwise(entry.Claim, entry.Holder)}")]
            : [];
    }

    /// <summary>The apps whose routes may be decided otherwise by a change of this one.</summary>
    public IEnumerable<ObjectKey> AffectedBy(InformerEvent<WebApp> change)
    {
        var unchanged = change is { Old: not null, New: not null }
            && (change.Old.Metadata.DeletionTimestamp is null) == (change.New.Metadata.DeletionTimestamp is null)
            && ClaimsOf(change.Old).SequenceEqual(ClaimsOf(change.New));
        return unchanged
            ? []
            : new[] { change.Old, change.New }.OfType<WebApp>().SelectMany(RivalsOf).Select(ObjectKey.Of).Where(key => key != change.Key).Distinct();
    }

    private IEnumerable<WebApp> RivalsOf(WebApp app) =>
        ClaimsOf(app).SelectMany(claim => _apps.ByIndex(ByClaim, claim.ToString())).Concat(RivalsForPort(app)).DistinctBy(ObjectKey.Of);

    /// <summary>Which of the two a port is for, the oldest app of all decides.</summary>
    private IEnumerable<WebApp> RivalsForPort(WebApp app) =>
        app.Spec.Route is { Port: { } port } route && (route.IsTcp || _apps.ByIndex(ByClaim, RouteClaim.Tcp(port).ToString()).Count > 0)
            ? _apps.ByIndex(ByPort, PortKey(port))
            : [];

    private static string Otherwise(RouteClaim claim, WebApp holder) =>
        claim.IsTcp == holder.Spec.Route!.IsTcp ? "" : claim.IsTcp ? ", for HTTP" : ", which has all of the port for TCP";

    private static string PortKey(int port) => port.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<RouteClaim> ClaimsOf(WebApp app) => app.Spec.Route is { } route ? RouteClaims.Of(route) : [];
}
