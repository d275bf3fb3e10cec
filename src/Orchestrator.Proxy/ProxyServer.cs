using System.Net;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Proxy.Acme;
using Orchestrator.Proxy.Admin;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Leasing;
using Orchestrator.Proxy.Listening;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.State;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tls;
using Orchestrator.Proxy.Tracing;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Connections;
using Orchestrator.Runtime.Informers;
using Prometheus;

namespace Orchestrator.Proxy;

/// <summary>
/// The load-balancing proxy: takes users' requests and passes them to ready replicas. Knows the world from the API, goes on with
/// what it knew last when the API is away, and loses no request over a change (docs/design/proxy.md).
/// </summary>
public sealed partial class ProxyServer : IAsyncDisposable
{
    private readonly ProxyOptions _options;
    private readonly ILogger _logger;
    private readonly SharedInformers _informers;
    private readonly Routes _routes;
    private readonly RouteWatcher _watcher;
    private readonly Informer<V1Secret> _secrets;
    private readonly TlsDirectory _tls;
    private readonly CertificateWatcher _certificates;
    private readonly RouteStore _store;
    private readonly RouteSaver _saver;
    private readonly Suspects _suspects;
    private readonly EndpointChecks _checks;
    private readonly HostChecks _hostChecks;
    private readonly Outliers _outliers;
    private readonly Forwarder _forwarder;
    private readonly AccessLog? _accessLog;
    private readonly SpanExport? _spans;
    private readonly ListenerSet _listeners;
    private readonly ProxyLease _lease;
    private readonly CancellationTokenSource _stopListening = new();
    private readonly CancellationTokenSource _stop = new();
    private Listener? _admin;
    private Task _listening = Task.CompletedTask;
    private Task _running = Task.CompletedTask;
    private Task? _stopped;
    private bool _fromDisk;

    private ProxyServer(ProxyOptions options, IKubernetes kubernetes, ILoggerFactory loggers, TimeProvider time)
    {
        _options = options;
        _logger = loggers.CreateLogger<ProxyServer>();
        var seed = unchecked(((ulong)time.GetUtcNow().Ticks << 20) ^ (ulong)Environment.ProcessId);
        var random = new SharedRandom(seed);
        _routes = new Routes(options.Port, random, time, options.Zone);
        _informers = new SharedInformers(kubernetes, "orc-proxy", loggers, time);
        _watcher = new RouteWatcher(_informers.WebApps, _informers.Replicas, _routes, loggers.CreateLogger<RouteWatcher>(), time);
        _tls = new TlsDirectory(_routes);
        _secrets = new Informer<V1Secret>(
            SecretContents.Of(kubernetes, ApiGroup.ProxyNamespace), labelSelector: null, loggers.CreateLogger<CertificateWatcher>(), time, ApiGroup.ProxyNamespace);
        var challenges = new ChallengeAnswers();
        challenges.Follow(_secrets);
        _certificates = new CertificateWatcher(
            _secrets, _tls, new CertificateStore(options.StateFolder, loggers.CreateLogger<CertificateStore>()), loggers.CreateLogger<CertificateWatcher>(), time);
        _store = new RouteStore(options.StateFolder, loggers.CreateLogger<RouteStore>());
        _saver = new RouteSaver(_store, _watcher, _routes, loggers.CreateLogger<RouteSaver>(), time);
        _suspects = new Suspects(options.ConnectTimeout, loggers.CreateLogger<Suspects>(), time);
        _hostChecks = new HostChecks(_routes, _suspects, loggers.CreateLogger<HostChecks>(), time);
        _outliers = new Outliers(_routes, loggers.CreateLogger<Outliers>(), time);
        _forwarder = new Forwarder(options, _suspects, _outliers, time);
        _accessLog = options.AccessLog is { } path ? new AccessLog(OpenLog(path), options, random, time) : null;
        var name = LeaseName(options, random);
        _spans = SpanExport.Of(options, name, loggers.CreateLogger<SpanExport>(), time);
        var identity = new RequestIdentity(options, random);
        var gate = new TlsGate(_tls, port => _listeners!.HttpsPortOf(port), time);
        var bodies = new RequestBodies(options, time);
        var tcp = new TcpForwarder(options, _suspects, _tls, gate, _accessLog, time);
        _listeners = new ListenerSet(
            options,
            _routes,
            port => new ProxyApplication(port, _routes, () => _watcher.HasSynced, identity, challenges, gate, bodies, _forwarder, _accessLog, _spans, time),
            (port, use) => new ConnectionFront(port, use, _tls, _routes, tcp, time),
            new ConnectionRoom(OpenFiles.OfThisProcess, loggers.CreateLogger<ConnectionRoom>(), time),
            loggers.CreateLogger<ListenerSet>(),
            time);
        _lease = new ProxyLease(
            _informers.LeaseClient, name, _watcher, _routes, _listeners, challenges, loggers.CreateLogger<ProxyLease>(), time);
        _checks = new EndpointChecks(
            _routes, _suspects, () => _lease.SinceLastAnswer > ProxyLease.Duration, loggers.CreateLogger<EndpointChecks>(), time);

        challenges.Changed += _lease.Refresh;
        _routes.Drained += _lease.Refresh;
        _routes.HoldingChanged += _lease.Refresh;
        _listeners.FailuresChanged += _lease.Refresh;
        _watcher.Applied += () =>
        {
            _tls.Refresh();
            _listeners.Refresh();
            _lease.Refresh();
            _saver.Refresh();
        };
    }

    /// <summary>The shared listener's; has the real port where 0 was asked for.</summary>
    public IPEndPoint Address => _listeners.Address;

    /// <summary>The shared TLS listener's; null when none was asked for.</summary>
    public IPEndPoint? TlsAddress => _listeners.TlsAddress;

    /// <summary>Null when none was asked for.</summary>
    public IPEndPoint? AdminAddress => _admin?.Address;

    /// <summary>Streams and WebSockets included.</summary>
    public int RequestsInFlight => _routes.RequestsInFlight;

    /// <summary>
    /// Starts serving with the routes found on disk and takes the API's as soon as they are there; waits for neither.
    /// </summary>
    /// <exception cref="IOException">A port or the access log cannot be had; the message says which and why.</exception>
    public static async Task<ProxyServer> StartAsync(
        ProxyOptions options, IKubernetes kubernetes, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        // By default prometheus-net turns on every event counter and meter of the framework, which costs each request and gives
        // series by the hundred.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true, SuppressMeters = true });
        var server = new ProxyServer(options, kubernetes, loggers, time);
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the routes are the API's.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _watcher.WaitForSyncAsync(cancellationToken);

    /// <summary>
    /// The predecessor is gone: a proxy that was started with <see cref="ProxyOptions.TakeOver"/> shares no port with anybody any more.
    /// </summary>
    public void EndTakeOver() => _listeners.EndTakeOver();

    /// <summary>
    /// Takes no new connection, lets the requests in flight finish for as long as <see cref="ProxyOptions.DrainTimeout"/> says (or
    /// until cancelled), aborts the rest, gives up the Lease.
    /// </summary>
    public Task StopAsync(CancellationToken cancellationToken) => _stopped ??= StopOnceAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true));
        await _listeners.DisposeAsync();
        if (_admin is { } admin)
        {
            await admin.CloseAsync(new CancellationToken(canceled: true));
            await admin.DisposeAsync();
        }

        await _suspects.DisposeAsync();
        _forwarder.Dispose();
        if (_accessLog is not null)
        {
            await _accessLog.DisposeAsync();
        }

        if (_spans is not null)
        {
            await _spans.DisposeAsync();
        }

        _routes.Clear();
        _certificates.Clear();
        _stopListening.Dispose();
        _stop.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        var stored = _store.Load();
        _fromDisk = stored.Count > 0;
        _routes.ReplaceAll(stored);
        _tls.Refresh();
        _certificates.Load();
        if (_options.Admin is { } admin)
        {
            var application = new AdminApplication(_routes, WhyNotReady);
            _admin = await Listener.OpenAsync(
                admin,
                application,
                _options.Sockets.GetValueOrDefault(admin),
                _options.TakeOver,
                front: null, proxyProtocol: null, room: null,
                new ListenerLimits(_options),
                cancellationToken);
        }

        await _listeners.OpenSharedAsync(cancellationToken);
        var stop = _stop.Token;
        _listening = Task.Run(() => GuardAsync("listeners", _listeners.RunAsync, _stopListening.Token), CancellationToken.None);
        _running = Task.WhenAll(
            Task.Run(() => _informers.WebApps.RunAsync(stop), CancellationToken.None),
            Task.Run(() => _informers.Replicas.RunAsync(stop), CancellationToken.None),
            Task.Run(() => _secrets.RunAsync(stop), CancellationToken.None),
            Task.Run(() => GuardAsync("routes", _watcher.RunAsync, stop), CancellationToken.None),
            Task.Run(() => GuardAsync("certificates", _certificates.RunAsync, stop), CancellationToken.None),
            Task.Run(() => GuardAsync("saving routes", _saver.RunAsync, stop), CancellationToken.None),
            Task.Run(() => GuardAsync("lease", _lease.RunAsync, stop), CancellationToken.None),
            Task.Run(() => GuardAsync("endpoint checks", _checks.RunAsync, stop), CancellationToken.None),
            Task.Run(() => GuardAsync("host checks", _hostChecks.RunAsync, stop), CancellationToken.None),
            Task.Run(() => GuardAsync("outliers", _outliers.RunAsync, stop), CancellationToken.None));
        Log.Started(_logger, stored.Count);
    }

    private async Task StopOnceAsync(CancellationToken cancellationToken)
    {
        // Replicas are still drained and acknowledged while requests finish, so the rest runs until the listeners are done.
        await _stopListening.CancelAsync();
        await _listening;
        await _listeners.CloseAsync(_options.DrainTimeout, cancellationToken);
        await _stop.CancelAsync();
        await _running;
        _saver.Save();
        await _lease.DeleteAsync(CancellationToken.None);
        Log.Stopped(_logger);
    }

    private string? WhyNotReady() =>
        _stopped is not null ? "stopping"
        : _watcher.HasSynced || _fromDisk ? null
        : "no routes yet: the API server has not answered and none are on disk";

    /// <summary>A part that breaks is begun again: requests are served by the others meanwhile.</summary>
    private async Task GuardAsync(string part, Func<CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await run(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                Broken.WithLabels(part).Inc();
                Log.Broken(_logger, failure, part);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static readonly Counter Broken = Metrics.CreateCounter(
        "orchestrator_proxy_failures_total", "Parts of the proxy that broke and were begun again.", "part");

    private static Stream OpenLog(string path) => path == "-"
        ? Console.OpenStandardOutput()
        : new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);

    private static string LeaseName(ProxyOptions options, SharedRandom random)
    {
        const string alphabet = "bcdfghjklmnpqrstvwxz2456789";
        var first = NotInNames().Replace((options.Name ?? $"proxy-{Environment.MachineName}").ToLowerInvariant(), "-").Trim('-');
        var unique = string.Create(8, random, static (text, drawn) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = alphabet[drawn.Next(alphabet.Length)];
            }
        });
        return $"{first[..Math.Min(first.Length, 50)].TrimEnd('-')}-{unique}";
    }

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotInNames();

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy started; {Apps} apps known from disk")]
        public static partial void Started(ILogger logger, int apps);

        [LoggerMessage(Level = LogLevel.Information, Message = "Proxy stopped")]
        public static partial void Stopped(ILogger logger);

        [LoggerMessage(Level = LogLevel.Error, Message = "The proxy's {Part} broke and is begun again")]
        public static partial void Broken(ILogger logger, Exception failure, string part);
    }
}
