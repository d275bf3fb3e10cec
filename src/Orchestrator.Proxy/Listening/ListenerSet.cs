using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime.Reconciling;
using Prometheus;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// The shared listener and the ones that apps have of their own: opened when a route names a port, closed when none does any more.
/// A port that cannot be had is tried again, and told (<see cref="Failures"/>).
/// </summary>
internal sealed partial class ListenerSet(
    ProxyOptions options,
    Routes routes,
    Func<int, ProxyApplication> applications,
    Func<int, TlsUse, ConnectionFront> fronts,
    ConnectionRoom room,
    ILogger<ListenerSet> logger,
    TimeProvider time)
    : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private static readonly Gauge Open = Metrics.CreateGauge(
        "orchestrator_proxy_listener_open", "1 for a port that is listened on, 0 for one that cannot be had.", "port");

    private readonly Signal _changed = new();
    private readonly ConcurrentDictionary<int, Listener> _own = [];
    private readonly List<Task> _closing = [];
    private readonly CancellationTokenSource _abort = new();
    private readonly ProxyProtocol? _proxyProtocol = ProxyProtocol.Of(options, time);
    private readonly ListenerLimits _limits = new(options);
    private readonly Random _jitter = new(options.Port);
    private volatile IReadOnlyDictionary<int, string> _failures = new Dictionary<int, string>();
    private volatile bool _takingOver = options.TakeOver;
    private Listener? _shared;
    private Listener? _sharedTls;
    private bool _closed;

    /// <summary>The shared listener's.</summary>
    public IPEndPoint Address => _shared?.Address ?? throw new InvalidOperationException("the shared listener is not open");

    /// <summary>The shared TLS listener's; null when none was asked for.</summary>
    public IPEndPoint? TlsAddress => _sharedTls?.Address;

    /// <summary>Where plain requests are sent to that should have come by TLS; null: this proxy has no TLS there.</summary>
    /// <param name="port">As in the routes.</param>
    public int? HttpsPortOf(int port) => port != options.Port ? port : TlsAddress is { } address ? options.HttpsPort ?? address.Port : null;

    /// <summary>The apps' ports that are listened on.</summary>
    public IEnumerable<int> OwnPorts => _own.Keys;

    /// <summary>Ports that apps want and that cannot be had, each with the reason.</summary>
    public IReadOnlyDictionary<int, string> Failures => _failures;

    /// <summary>Raised when <see cref="Failures"/> are others.</summary>
    public event Action? FailuresChanged;

    /// <exception cref="IOException">The port cannot be had.</exception>
    public async Task OpenSharedAsync(CancellationToken cancellationToken)
    {
        _shared = await OpenAsync(new(options.Address, options.Port), options.Port, TlsUse.Never, cancellationToken);
        Open.WithLabels(PortLabel(_shared.Address.Port)).Set(1);
        Log.Opened(logger, _shared.Address);
        if (options.Tls is { } endpoint)
        {
            _sharedTls = await OpenAsync(endpoint, options.Port, TlsUse.Always, cancellationToken);
            Open.WithLabels(PortLabel(_sharedTls.Address.Port)).Set(1);
            Log.OpenedTls(logger, _sharedTls.Address);
        }
    }

    /// <summary>The predecessor is gone: from now on a port on which anyone listens is a failure again.</summary>
    public void EndTakeOver() => _takingOver = false;

    /// <summary>The routes have changed: look at their ports.</summary>
    public void Refresh() => _changed.Set();

    /// <summary>Opens and closes the apps' listeners as the routes want, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(FirstRetry, LongestRetry, _jitter);
        while (true)
        {
            await ApplyAsync(cancellationToken);
            if (_failures.Count == 0)
            {
                backoff.Reset();
                await _changed.WaitAsync(cancellationToken);
            }
            else if (await _changed.WaitAsync(backoff.Next(), time, cancellationToken))
            {
                backoff.Reset();
            }
        }
    }

    /// <summary>Closes all; see <see cref="Listener.CloseAsync"/>. Call it after <see cref="RunAsync"/> has ended.</summary>
    public async Task CloseAsync(TimeSpan timeout, CancellationToken abort)
    {
        using var late = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, abort);
        await using var aborting = either.Token.Register(_abort.Cancel);
        foreach (var port in _own.Keys.ToList())
        {
            Close(port);
        }

        if (!_closed)
        {
            _closed = true;
            _closing.AddRange(new[] { _shared, _sharedTls }.OfType<Listener>().Select(shared => CloseAsync(shared, _abort.Token)));
        }

        await Task.WhenAll(_closing);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(TimeSpan.Zero, CancellationToken.None);
        _abort.Dispose();
    }

    private async Task ApplyAsync(CancellationToken cancellationToken)
    {
        _closing.RemoveAll(static closing => closing.IsCompleted);
        var wanted = routes.Table.OwnPorts.ToHashSet();
        foreach (var port in _own.Keys.Where(port => !wanted.Contains(port)).ToList())
        {
            Close(port);
        }

        var failures = new Dictionary<int, string>();
        foreach (var port in wanted.Where(port => !_own.ContainsKey(port)).Order())
        {
            try
            {
                // With SO_REUSEPORT we could listen there twice.
                if (port == TlsAddress?.Port)
                {
                    throw new IOException("it is the port of the shared TLS listener (--tls-listen)");
                }

                if (port == options.Port)
                {
                    throw new IOException("it is the port of the shared listener (--listen), which serves HTTP");
                }

                var listener = await OpenAsync(new(options.Address, port), port, TlsUse.AsRouted, cancellationToken);
                _own[port] = listener;
                Open.WithLabels(PortLabel(port)).Set(1);
                Log.Opened(logger, listener.Address);
            }
            catch (IOException failure)
            {
                var reason = failure.GetBaseException().Message;
                failures.Add(port, reason);
                Open.WithLabels(PortLabel(port)).Set(0);
                if (_failures.GetValueOrDefault(port) != reason)
                {
                    Log.Failed(logger, port, reason);
                }
            }
        }

        var before = _failures;
        _failures = failures;
        foreach (var port in before.Keys.Where(port => !wanted.Contains(port)))
        {
            Open.RemoveLabelled(PortLabel(port));
        }

        if (before.Count != failures.Count || before.Any(one => failures.GetValueOrDefault(one.Key) != one.Value))
        {
            FailuresChanged?.Invoke();
        }
    }

    /// <param name="port">As in the routes.</param>
    private Task<Listener> OpenAsync(IPEndPoint address, int port, TlsUse use, CancellationToken cancellationToken) => Listener.OpenAsync(
        address,
        applications(port),
        options.Sockets.GetValueOrDefault(address),
        _takingOver,
        fronts(port, use),
        _proxyProtocol,
        room,
        _limits,
        cancellationToken);

    private void Close(int port)
    {
        if (_own.TryRemove(port, out var listener))
        {
            Open.RemoveLabelled(PortLabel(port));
            Log.Closing(logger, listener.Address);
            _closing.Add(CloseOwnAsync(listener));
        }
    }

    private async Task CloseOwnAsync(Listener listener)
    {
        using var late = new CancellationTokenSource(options.DrainTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _abort.Token);
        await CloseAsync(listener, either.Token);
    }

    private static async Task CloseAsync(Listener listener, CancellationToken abort)
    {
        // Kestrel closes in part before it gives the thread back.
        await Task.Yield();
        await listener.CloseAsync(abort);
        await listener.DisposeAsync();
    }

    private static string PortLabel(int port) => port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Listening on {Address}")]
        public static partial void Opened(ILogger logger, IPEndPoint address);

        [LoggerMessage(Level = LogLevel.Information, Message = "Listening for TLS on {Address}")]
        public static partial void OpenedTls(ILogger logger, IPEndPoint address);

        [LoggerMessage(Level = LogLevel.Information, Message = "No route names {Address} any more: closing it once its requests are done")]
        public static partial void Closing(ILogger logger, IPEndPoint address);

        [LoggerMessage(Level = LogLevel.Error, Message = "Cannot listen on port {Port}, which a route names; trying again: {Reason}")]
        public static partial void Failed(ILogger logger, int port, string reason);
    }
}
