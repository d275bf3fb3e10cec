using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Acme;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Listening;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tls;
using Orchestrator.Proxy.Tracing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Connections;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>The proxy's way of a request, from listener to replica, with routes that the test sets itself: no API is there.</summary>
internal sealed class TestProxy : IAsyncDisposable
{
    private static int s_count;

    private readonly Forwarder _forwarder;
    private readonly SpanExport? _spans;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private TestProxy(ProxyOptions options, TimeProvider? clockOfRoutes)
    {
        var time = TimeProvider.System;
        Options = options;
        Routes = new Routes(options.Port, new SharedRandom(1), clockOfRoutes ?? time);
        Suspects = new Suspects(options.ConnectTimeout, NullLogger<Suspects>.Instance, time);
        Outliers = new Outliers(Routes, NullLogger<Outliers>.Instance, clockOfRoutes ?? time);
        _forwarder = new Forwarder(options, Suspects, Outliers, clockOfRoutes ?? time);
        Tls = new TlsDirectory(Routes);
        var gate = new TlsGate(Tls, port => Listeners!.HttpsPortOf(port), time);
        var identity = new RequestIdentity(options, new SharedRandom(2));
        _spans = SpanExport.Of(options, "proxy-under-test", NullLogger<SpanExport>.Instance, time);
        var bodies = new RequestBodies(options, clockOfRoutes ?? time);
        var tcp = new TcpForwarder(options, Suspects, Tls, gate, accessLog: null, clockOfRoutes ?? time);
        Listeners = new ListenerSet(
            options,
            Routes,
            port => new ProxyApplication(port, Routes, () => RoutesKnown, identity, Challenges, gate, bodies, _forwarder, accessLog: null, _spans, time),
            (port, use) => new ConnectionFront(port, use, Tls, Routes, tcp, time),
            new ConnectionRoom(OpenFiles.OfThisProcess, NullLogger<ConnectionRoom>.Instance, time),
            NullLogger<ListenerSet>.Instance,
            time);
        _running = Listeners.RunAsync(_stop.Token);
    }

    public ProxyOptions Options { get; }

    /// <summary>Metrics are the process's: each proxy has a namespace of its own in them.</summary>
    public string Namespace { get; } = $"test-{Interlocked.Increment(ref s_count)}";

    public Routes Routes { get; }

    public ChallengeAnswers Challenges { get; } = new();

    public TlsDirectory Tls { get; }

    public Suspects Suspects { get; }

    public Outliers Outliers { get; }

    public ListenerSet Listeners { get; }

    public bool RoutesKnown { get; set; } = true;

    public Uri Url => new($"http://127.0.0.1:{Listeners.Address.Port}/");

    public HttpClient Client { get; private set; } = null!;

    /// <summary>The only app there is.</summary>
    public AppState App => Assert.Single(Routes.Table.Apps);

    /// <param name="clockOfRoutes">By which hosts are given up.</param>
    public static async Task<TestProxy> StartAsync(Func<ProxyOptions, ProxyOptions>? with = null, TimeProvider? clockOfRoutes = null)
    {
        var options = new ProxyOptions { StateFolder = "", Port = 0, Address = IPAddress.Loopback, DrainTimeout = TimeSpan.FromSeconds(20) };
        var proxy = new TestProxy(with is null ? options : with(options), clockOfRoutes);
        try
        {
            await proxy.Listeners.OpenSharedAsync(CancellationToken.None);
        }
        catch
        {
            proxy.Client = new HttpClient();
            await proxy.DisposeAsync();
            throw;
        }

        proxy.Client = NewClient(proxy.Url);
        return proxy;
    }

    /// <summary>A client with connections of its own.</summary>
    public static HttpClient NewClient(Uri url) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false })
        {
            BaseAddress = url,
            Timeout = TimeSpan.FromSeconds(30),
        };

    /// <summary>An app for any host and path, served by these.</summary>
    public void Serve(params EndpointId[] endpoints) => Serve(new Route(), endpoints);

    public void Serve(string? balancing, params EndpointId[] endpoints) => Serve(new Route { Balancing = balancing }, endpoints);

    public void Serve(Route route, params EndpointId[] endpoints) =>
        Routes.ReplaceAll([RouteTo("web", null, endpoints) with { Route = route, Uid = "uid-of-web" }]);

    /// <summary>The same in the middle of a rollout.</summary>
    public void Serve(Traffic traffic, params EndpointId[] endpoints) => Routes.ReplaceAll([RouteTo("web", null, endpoints) with { Traffic = traffic }]);

    /// <summary>Apps as the test wants them, in this proxy's namespace.</summary>
    public void ServeRoutes(params AppRoute[] routes)
    {
        Routes.ReplaceAll(routes);
        Tls.Refresh();
        Listeners.Refresh();
    }

    /// <summary>Several apps, each on a port of its own.</summary>
    public void ServeAt(params (int? Port, EndpointId Endpoint)[] apps)
    {
        Routes.ReplaceAll([.. apps.Select(app => RouteTo($"web-{app.Port}", app.Port, app.Endpoint))]);
        Listeners.Refresh();
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        Client.Dispose();
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Listeners.DisposeAsync();
        await Suspects.DisposeAsync();
        _forwarder.Dispose();
        if (_spans is not null)
        {
            await _spans.DisposeAsync();
        }

        Routes.Clear();
    }

    /// <summary>Nobody listens there: connections are refused.</summary>
    public static EndpointId Refusing(string uid = "refusing") => new(uid, "127.0.0.1", FreePort.Next());

    private AppRoute RouteTo(string app, int? port, params EndpointId[] endpoints) =>
        new(new ObjectKey(Namespace, app), new Route(), [new RouteClaim(port, null, "/")], endpoints);
}
