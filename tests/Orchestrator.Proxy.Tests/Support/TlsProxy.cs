using System.Net;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tls;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Certificates;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A proxy with a TLS listener, and apps whose certificates the test gives.</summary>
internal sealed class TlsProxy : IAsyncDisposable
{
    private readonly Dictionary<ObjectKey, AppCertificates> _certificates = [];
    private readonly List<AppRoute> _routes = [];
    private TlsCertificate? _default;

    private TlsProxy(TestProxy proxy) => Proxy = proxy;

    public TestProxy Proxy { get; }

    public TestAuthority Authority { get; } = new();

    public int Port => Proxy.Listeners.TlsAddress!.Port;

    public static async Task<TlsProxy> StartAsync(Func<ProxyOptions, ProxyOptions>? with = null) => new(await TestProxy.StartAsync(
        options => (with ?? (same => same))(options with { Tls = new IPEndPoint(IPAddress.Loopback, 0) })));

    /// <param name="certificate">As names of a certificate that this proxy's authority signs; null: none.</param>
    public void Add(
        string app, string? host, ReplicaServer replica, RouteTls? tls, string[]? certificate = null, TestAuthority? clients = null,
        int? port = null, string path = "/", string? protocol = null)
    {
        _routes.Add(new(new(Proxy.Namespace, app), new Route { Tls = tls, Protocol = protocol }, [new RouteClaim(port, host, path)], [replica.Id]));
        Show(app, certificate, clients);
        Proxy.ServeRoutes([.. _routes]);
    }

    /// <summary>Gives an app other certificates, as a change of its Secret does.</summary>
    public void Show(string app, string[]? certificate, TestAuthority? clients = null, int days = 10)
    {
        _certificates[new(Proxy.Namespace, app)] = new(
            certificate is null ? null : Read(Authority.Server(days, certificate)),
            clients is null ? null : CertificateAuthorities.Read(clients.Pem));
        Proxy.Tls.Use(new(_certificates.ToDictionary(), _default));
    }

    public void ShowByDefault(params string[] names)
    {
        _default = Read(Authority.Server(10, names));
        Proxy.Tls.Use(new(_certificates.ToDictionary(), _default));
    }

    public HttpClient Client(X509Certificate2? certificate = null) => TlsClient.New(Port, Authority, certificate);

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        Authority.Dispose();
    }

    private static TlsCertificate Read((byte[] Certificate, byte[] Key) secret) => TlsCertificate.Read(secret.Certificate, secret.Key);
}
