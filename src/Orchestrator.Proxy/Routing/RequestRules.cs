using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Forwarding;

namespace Orchestrator.Proxy.Routing;

/// <summary><see cref="RouteRules"/> made ready for requests. Immutable.</summary>
internal sealed class RequestRules
{
    private readonly (RouteRedirect Redirect, Redirect Ready)[] _redirects;

    public RequestRules(RouteRules source)
    {
        Source = source;
        Matcher = source.Match is { } match ? new RequestMatcher(match) : null;
        Edits = RequestEdits.Of(source);
        _redirects = [.. (source.Redirects ?? []).Select(redirect => (redirect, new Redirect(redirect)))];
    }

    public RouteRules Source { get; }

    /// <summary>Null: any request fits.</summary>
    public RequestMatcher? Matcher { get; }

    /// <summary>Null: requests and answers pass as they are.</summary>
    public RequestEdits? Edits { get; }

    /// <summary>The redirect that a claim of the app is for; null: replicas answer there.</summary>
    public Redirect? RedirectAt(RouteClaim claim)
    {
        foreach (var (redirect, ready) in _redirects)
        {
            if (Claims(redirect).Contains(claim with { Port = null }))
            {
                return ready;
            }
        }

        return null;
    }

    private IEnumerable<RouteClaim> Claims(RouteRedirect redirect) => RouteClaims.Of(new Route { Hosts = Source.Hosts }, redirect);
}
