using System.Collections.Frozen;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tls;

/// <summary>What is shown in a handshake.</summary>
/// <param name="Asks">Whether the client is asked for a certificate: an app that may serve the host wants it.</param>
internal readonly record struct TlsChoice(TlsCertificate? Certificate, bool Asks);

/// <summary>
/// Which certificate is shown, by listener and the name that the client asks for: that of the app at the exact name, then at the
/// longest wildcard, then of an app for any host, then the default one. Of several apps at one host it is the one with the shortest path.
/// An app's certificate is shown for hosts that the app holds alone, whatever names stand in it. Immutable.
/// </summary>
internal sealed class TlsTable
{
    private readonly FrozenDictionary<int, Dictionary<string, TlsChoice>> _byPort;
    private readonly TlsCertificate? _default;

    public TlsTable(RouteTable routes, CertificateSet certificates)
    {
        Routes = routes;
        _default = certificates.Default;
        _byPort = routes.Apps
            .Where(app => app.Tls is not null)
            .SelectMany(app => app.Claims, (app, claim) => (App: app, Claim: claim))
            .GroupBy(held => held.Claim.Port ?? routes.SharedPort)
            .ToFrozenDictionary(
                port => port.Key,
                port => port.GroupBy(held => held.Claim.Host ?? "*", StringComparer.OrdinalIgnoreCase).ToDictionary(
                    host => host.Key,
                    host => new TlsChoice(
                        host.OrderBy(held => held.Claim.Path.Length).ThenBy(held => held.Claim.Path, StringComparer.Ordinal)
                            .Select(held => certificates.Apps.GetValueOrDefault(held.App.Key)?.Certificate)
                            .FirstOrDefault(certificate => certificate is not null),
                        host.Any(held => held.App.Tls!.ClientAuth is not null)),
                    StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>What it was made from.</summary>
    public RouteTable Routes { get; }

    /// <summary>Whether an app wants TLS at this listener.</summary>
    public bool HasTls(int port) => _byPort.ContainsKey(port);

    /// <param name="port">As in the <see cref="RouteTable"/>.</param>
    /// <param name="name">Empty: the client named none.</param>
    public TlsChoice Choose(int port, string name)
    {
        TlsCertificate? certificate = null;
        var asks = false;
        if (_byPort.TryGetValue(port, out var hosts))
        {
            name = name.TrimEnd('.');
            Add(hosts.GetValueOrDefault(name));
            for (var dot = name.IndexOf('.'); dot >= 0; dot = name.IndexOf('.', dot + 1))
            {
                Add(hosts.GetValueOrDefault($"*{name[dot..]}"));
            }

            Add(hosts.GetValueOrDefault("*"));
        }

        return new(certificate ?? _default, asks);

        // A path that the most specific host does not have is served by a less specific one, which may want to know the client.
        void Add(TlsChoice choice) => (certificate, asks) = (certificate ?? choice.Certificate, asks || choice.Asks);
    }
}
