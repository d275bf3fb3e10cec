using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Acme;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Leasing;
using Orchestrator.Proxy.Listening;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime.Connections;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>
/// A proxy's Lease on a real API server, by a clock that the test turns; what it is about, routes and deleting Replicas, comes by
/// the real one. Sees each of its writes.
/// </summary>
internal sealed class LeaseUnderTest : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Recorder _recorder = new();
    private readonly Kubernetes _kubernetes;
    private readonly SharedInformers _informers;
    private readonly ListenerSet _listeners;
    private readonly ProxyLease _lease;
    private readonly Task _running;

    public LeaseUnderTest(TestCluster cluster)
    {
        Routes = new(8080, new SharedRandom(1), Time);
        _kubernetes = cluster.Client("proxy", _recorder);
        _informers = new SharedInformers(_kubernetes, "test", NullLoggerFactory.Instance, TimeProvider.System);
        Watcher = new RouteWatcher(_informers.WebApps, _informers.Replicas, Routes, NullLogger<RouteWatcher>.Instance, TimeProvider.System);
        _listeners = new ListenerSet(
            new ProxyOptions { StateFolder = "" },
            Routes,
            _ => throw new InvalidOperationException("no listener is asked for"),
            (_, _) => throw new InvalidOperationException("no listener is asked for"),
            new ConnectionRoom(OpenFiles.OfThisProcess, NullLogger<ConnectionRoom>.Instance, TimeProvider.System),
            NullLogger<ListenerSet>.Instance,
            TimeProvider.System);
        _lease = new ProxyLease(_informers.LeaseClient, "test", Watcher, Routes, _listeners, Challenges, NullLogger<ProxyLease>.Instance, Time);
        Challenges.Changed += _lease.Refresh;
        Watcher.Applied += _lease.Refresh;
        Routes.HoldingChanged += _lease.Refresh;
        _running = Task.WhenAll(
            _informers.WebApps.RunAsync(_stop.Token),
            _informers.Replicas.RunAsync(_stop.Token),
            Watcher.RunAsync(_stop.Token),
            _lease.RunAsync(_stop.Token));
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 24, 12, 0, 0, TimeSpan.Zero));

    public Routes Routes { get; }

    public ChallengeAnswers Challenges { get; } = new();

    public RouteWatcher Watcher { get; }

    /// <summary>That reached the API server, oldest first.</summary>
    public IReadOnlyList<Write> Writes => [.. _recorder.Writes];

    /// <summary>Whether the next write goes nowhere, without an answer. Off again once one does.</summary>
    public bool NextHangs
    {
        get => _recorder.Hangs;
        set => _recorder.Hangs = value;
    }

    /// <summary>Writes that were given up without an answer.</summary>
    public int GivenUp => _recorder.GivenUp;

    /// <summary>The only app there is.</summary>
    public AppState App => Assert.Single(Routes.Table.Apps);

    /// <summary>Turns the clock on step by step until it holds.</summary>
    public Task AdvanceUntil(TimeSpan step, Func<bool> holds) => Eventually.True(() =>
    {
        if (holds())
        {
            return true;
        }

        Time.Advance(step);
        return false;
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _listeners.DisposeAsync();
        Routes.Clear();
        _kubernetes.Dispose();
        _stop.Dispose();
    }

    /// <param name="At">By the test's clock.</param>
    /// <param name="Canaries">Null: the annotation was not there.</param>
    /// <param name="Traffic">As <paramref name="Canaries"/>.</param>
    public sealed record Write(DateTime At, string Drained, IReadOnlyList<CanaryObservation>? Canaries, TrafficReport? Traffic);

    private sealed class Recorder : DelegatingHandler
    {
        private volatile bool _hangs;
        private int _givenUp;

        public ConcurrentQueue<Write> Writes { get; } = [];

        public bool Hangs
        {
            get => _hangs;
            set => _hangs = value;
        }

        public int GivenUp => Volatile.Read(ref _givenUp);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method != HttpMethod.Put && request.Method != HttpMethod.Post)
            {
                return await base.SendAsync(request, cancellationToken);
            }

            if (_hangs)
            {
                _hangs = false;
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                Interlocked.Increment(ref _givenUp);
                cancellationToken.ThrowIfCancellationRequested();
            }

            var lease = KubernetesJson.Deserialize<V1Lease>(await request.Content!.ReadAsStringAsync(cancellationToken));
            var response = await base.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                return response;
            }

            var annotations = lease.Metadata.Annotations;
            Writes.Enqueue(new Write(
                lease.Spec.RenewTime!.Value,
                annotations[Annotations.Drained],
                annotations.TryGetValue(Annotations.Canaries, out var text) ? CanaryObservation.Read(text) : null,
                annotations.TryGetValue(Annotations.Traffic, out var traffic) ? TrafficReport.Read(traffic) : null));
            return response;
        }
    }
}
