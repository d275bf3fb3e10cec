using System.Collections.Frozen;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// Which app serves a request: by listener, then host name, then path. Built whole and swapped, never changed; the apps' endpoints
/// change inside their <see cref="AppState"/>, so that a replica that comes or goes costs the same with ten routes or ten thousand.
/// </summary>
internal sealed class RouteTable
{
    private readonly FrozenDictionary<int, HostTable> _byPort;

    /// <param name="apps">With the claims they hold.</param>
    /// <param name="sharedPort">
    /// The port of the shared listener. An app that names this very port is served on it too, where no other app is.
    /// </param>
    public RouteTable(IReadOnlyCollection<AppState> apps, int sharedPort)
    {
        Apps = apps;
        SharedPort = sharedPort;
        _byPort = apps
            .SelectMany(app => app.Claims, (app, claim) => (App: app, Claim: claim))
            .OrderBy(held => held.Claim.Port is not null)
            .GroupBy(held => held.Claim.Port ?? sharedPort)
            .ToFrozenDictionary(
                held => held.Key,
                held => new HostTable(held.Select(one => (one.Claim.Host, one.Claim.Path, one.App))));
    }

    public IReadOnlyCollection<AppState> Apps { get; }

    public int SharedPort { get; }

    /// <summary>The ports that apps want listeners of their own on.</summary>
    public IEnumerable<int> OwnPorts => _byPort.Keys.Where(port => port != SharedPort);

    /// <param name="port">Of the listener that took the connection.</param>
    /// <param name="host">As in the Host header: a name or an address, with a port or without.</param>
    /// <param name="path">Decoded, without dot segments.</param>
    public AppState? Find(int port, ReadOnlySpan<char> host, ReadOnlySpan<char> path) =>
        _byPort.TryGetValue(port, out var hosts) ? hosts.Find(NameOf(host), path) : null;

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
