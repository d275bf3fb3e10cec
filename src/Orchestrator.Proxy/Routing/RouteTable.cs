using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// Which app serves a request: by listener, then host name, then path, then what else it is. Built whole and swapped, never changed; the apps' endpoints
/// change inside their <see cref="AppState"/>, so that a replica that comes or goes costs the same with ten routes or ten thousand.
/// </summary>
internal sealed class RouteTable
{
    private readonly FrozenDictionary<int, HostTable> _byPort;
    private readonly FrozenDictionary<int, AppState> _tcpByPort;

    /// <param name="apps">With the claims they hold, the oldest first.</param>
    /// <param name="sharedPort">
    /// The port of the shared listener. An app that names this very port is served on it too, where no other app is.
    /// </param>
    public RouteTable(IReadOnlyCollection<AppState> apps, int sharedPort)
    {
        Apps = apps;
        SharedPort = sharedPort;
        _byPort = apps
            .SelectMany(app => app.Claims, (app, claim) => (App: app, Claim: claim))
            .Where(held => !held.Claim.IsTcp)
            .OrderBy(held => held.Claim.Port is not null)
            .GroupBy(held => held.Claim.Port ?? sharedPort)
            .ToFrozenDictionary(
                held => held.Key,
                held => new HostTable(held.Select(one => (one.Claim, one.App.EntryAt(one.Claim)))));
        _tcpByPort = apps
            .Where(app => app.Policy.Route.IsTcp)
            .SelectMany(app => app.Claims, (app, claim) => (App: app, Claim: claim))
            .DistinctBy(held => held.Claim.Port)
            .ToFrozenDictionary(held => held.Claim.Port!.Value, held => held.App);
        Shadowed = [.. FindShadowed(apps, sharedPort)];
    }

    public IReadOnlyCollection<AppState> Apps { get; }

    public int SharedPort { get; }

    /// <summary>The ports that apps want listeners of their own on: one for TCP has no room beside the shared listener.</summary>
    public IEnumerable<int> OwnPorts => _byPort.Keys.Where(port => port != SharedPort).Concat(_tcpByPort.Keys);

    /// <summary>
    /// Claims of apps that name the shared listener's port, where one of the shared listener's own apps is served instead. Only a
    /// proxy knows of them: each may have another shared port.
    /// </summary>
    public IReadOnlyList<(RouteClaim Claim, AppState Holder)> Shadowed { get; }

    /// <summary>The app that has all connections to a port; null: they are for requests.</summary>
    public AppState? FindTcp(int port) => _tcpByPort.GetValueOrDefault(port);

    /// <param name="port">Of the listener that took the connection.</param>
    /// <param name="host">As in the Host header: a name or an address, with a port or without.</param>
    /// <param name="path">Decoded, without dot segments.</param>
    /// <param name="request">For what routes ask beside host and path. Null: only what asks for nothing more is found.</param>
    public RouteEntry? Find(int port, ReadOnlySpan<char> host, ReadOnlySpan<char> path, HttpRequest? request = null) =>
        _byPort.TryGetValue(port, out var hosts) ? hosts.Find(NameOf(host), path, request) : null;

    private static IEnumerable<(RouteClaim, AppState)> FindShadowed(IReadOnlyCollection<AppState> apps, int sharedPort)
    {
        var naming = apps.SelectMany(app => app.Claims).Where(claim => claim.Port == sharedPort).ToHashSet();
        return naming.Count == 0
            ? []
            : apps.SelectMany(app => app.Claims, (app, claim) => (Claim: claim with { Port = sharedPort }, App: app, claim.Port))
                .Where(held => held.Port is null && naming.Contains(held.Claim))
                .Select(held => (held.Claim, held.App));
    }

    /// <summary>The name alone: no port, no trailing dot (a fully qualified name is the same name).</summary>
    internal static ReadOnlySpan<char> NameOf(ReadOnlySpan<char> host)
    {
        // An IPv6 address has colons of its own, inside brackets.
        if (host.LastIndexOf(':') is >= 0 and var colon && colon > host.LastIndexOf(']'))
        {
            host = host[..colon];
        }

        return host is [.. var name, '.'] ? name : host;
    }
}
