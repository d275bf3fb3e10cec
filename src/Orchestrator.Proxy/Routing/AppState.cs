using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// An app as the proxy serves it: its endpoints now, and what outlives a change of them (balancer, metrics, retry budget).
/// Written by the one owner of the routes, read by every request.
/// </summary>
internal sealed class AppState(ObjectKey key, Random random, TimeProvider time, string? zone = null) : IDisposable
{
    private readonly Lock _gate = new();
    private volatile EndpointSet _endpoints = new([], split: null);
    private volatile AppPolicy _policy = new(new Route(), random, time);
    private volatile bool _hasSuspects;
    private long _slowUntil;
    private volatile CanaryCounts? _canary;
    private volatile TrafficWish? _wish;
    private RouteEntry? _plain;
    private TcpMetrics? _tcp;

    public ObjectKey Key { get; } = key;

    public AppMetrics Metrics { get; } = new(key);

    /// <summary>From the first connection on: most apps have requests.</summary>
    public TcpMetrics Tcp => LazyInitializer.EnsureInitialized(ref _tcp, () => new(Key));

    public RetryBudget Retries { get; } = new(time);

    /// <summary>What it holds of the space of requests (<see cref="RouteClaims"/>).</summary>
    public IReadOnlyList<RouteClaim> Claims { get; set; } = [];

    /// <summary>Uid of the WebApp; empty if the routes are from a time when proxies did not know.</summary>
    public string Uid { get; set; } = "";

    public AppPolicy Policy => _policy;

    /// <summary>Requests that wait because every endpoint has as many as it may.</summary>
    public WaitingRoom Waiting { get; } = new(time);

    /// <summary>Null: its route has none.</summary>
    public RouteTls? Tls => _policy.Route.Tls;

    /// <summary>A snapshot; never changed in place.</summary>
    public IReadOnlyList<ReplicaEndpoint> Endpoints => _endpoints.All;

    /// <inheritdoc cref="Endpoints"/>
    public EndpointSet Shared => _endpoints;

    /// <summary>Null when none is under way. Ask before an endpoint is acquired: then what is counted was shared as the period says.</summary>
    public CanaryCounts? Canary => _canary;

    /// <summary>What is told of the app's requests, whoever wants to know.</summary>
    public TrafficCounts Traffic { get; } = new(key, time);

    /// <summary>Null when the app is not scaled by what the proxies see.</summary>
    public TrafficWish? Wish => _wish;

    /// <summary>Requests that wait for a replica.</summary>
    public HeldRequests Held { get; } = new(time);

    /// <summary>From now on requests are dealt with like this.</summary>
    public void Obey(Route route)
    {
        if (!_policy.Is(route))
        {
            _policy = new(route, random, time);
            _plain = null;
            lock (_gate)
            {
                _endpoints = NewSet(_endpoints.All, _endpoints.Split);
            }

            Waiting.ReleaseAll();
        }
    }

    /// <summary>What the table has at one of its claims.</summary>
    public RouteEntry EntryAt(RouteClaim claim) =>
        _policy.Rules?.RedirectAt(claim) is { } redirect ? new(this, Matcher: null, redirect)
        : _plain ??= new(this, _policy.Rules?.Matcher, Redirect: null);

    /// <summary>From now on requests are sent to these. The caller retires the ones that are left out.</summary>
    public void ReplaceEndpoints(ReplicaEndpoint[] endpoints, TrafficSplit? split)
    {
        lock (_gate)
        {
            _endpoints = NewSet(endpoints, split);
            _hasSuspects = Array.Exists(endpoints, static endpoint => endpoint.IsSuspect);
            if (_policy.SlowStart > TimeSpan.Zero && Array.Exists(endpoints, static endpoint => endpoint.AddedAt is not null))
            {
                Volatile.Write(ref _slowUntil, time.GetTimestamp() + (long)(_policy.SlowStart.TotalSeconds * time.TimestampFrequency));
            }
        }

        Metrics.Endpoints.Set(endpoints.Length);
        if (endpoints.Length > 0)
        {
            Held.Release();
        }
        Waiting.ReleaseAll();
    }

    /// <summary>From now on requests are shared like this among the endpoints there are.</summary>
    public void ShareBy(TrafficSplit? split)
    {
        lock (_gate)
        {
            if (_endpoints.Split != split)
            {
                _endpoints = NewSet(_endpoints.All, split);
            }
        }
    }

    /// <summary>Counts what is seen of a canary, from zero when the period is another; null: nothing.</summary>
    public void Observe(CanaryPeriod? period)
    {
        var before = _canary;
        if (before?.Period == period)
        {
            return;
        }

        // The metrics go on from step to step: they are for the whole of a canary.
        var metrics = before?.Metrics;
        if (before?.Period.Revision != period?.Revision)
        {
            metrics?.Dispose();
            metrics = null;
        }

        _canary = period is null ? null : new(Key, period, metrics ?? new(Key));
    }

    /// <summary>What is seen of it is told before that of others, and requests are held if autoscaling wants that; null: neither.</summary>
    public void ScaleBy(TrafficWish? wish)
    {
        _wish = wish;
        Held.IsOpen = wish is { Holds: true };
    }

    /// <param name="most">Endpoints that may be avoided for that at a time.</param>
    /// <returns>False if it was avoided for that already, or as many are.</returns>
    public bool Avoid(ReplicaEndpoint endpoint, AvoidReasons reason, int most = int.MaxValue)
    {
        lock (_gate)
        {
            if ((endpoint.Avoided & reason) != 0
                || (most != int.MaxValue && _endpoints.All.Count(one => (one.Avoided & reason) != 0) >= most))
            {
                return false;
            }

            endpoint.Avoided |= reason;
            _hasSuspects = true;
            return true;
        }
    }

    public void Trust(ReplicaEndpoint endpoint, AvoidReasons reason)
    {
        lock (_gate)
        {
            endpoint.Avoided &= ~reason;
            _hasSuspects = Array.Exists(_endpoints.All, static one => one.IsSuspect);
        }
    }

    /// <inheritdoc cref="Acquire(HttpContext?, IPAddress?, IReadOnlyList{ReplicaEndpoint}?, out bool)"/>
    public ReplicaEndpoint? Acquire(IReadOnlyList<ReplicaEndpoint>? tried) => Acquire(null, null, tried, out _);

    /// <inheritdoc cref="Acquire(HttpContext?, IPAddress?, IReadOnlyList{ReplicaEndpoint}?, out bool)"/>
    public ReplicaEndpoint? Acquire(HttpContext request, IReadOnlyList<ReplicaEndpoint>? tried, out bool busy) =>
        Acquire(request, null, tried, out busy);

    /// <inheritdoc cref="Acquire(HttpContext?, IPAddress?, IReadOnlyList{ReplicaEndpoint}?, out bool)"/>
    public ReplicaEndpoint? Acquire(IPAddress? client, IReadOnlyList<ReplicaEndpoint>? tried, out bool busy) => Acquire(null, client, tried, out busy);

    /// <summary>
    /// Chooses an endpoint and counts the request in; give it back by <see cref="ReplicaEndpoint.Leave"/>. Suspects are chosen
    /// only when every other has been tried, on both sides of a split: all of them suspect is as good as none.
    /// </summary>
    /// <param name="request">Null: a connection, of which the client is all that is known.</param>
    /// <param name="tried">Those that have failed this request; never chosen.</param>
    /// <param name="busy">Some could be chosen, had they not as many requests as they may.</param>
    /// <returns>Null when there is none left.</returns>
    private ReplicaEndpoint? Acquire(HttpContext? request, IPAddress? client, IReadOnlyList<ReplicaEndpoint>? tried, out bool busy)
    {
        while (true)
        {
            var (policy, endpoints) = (_policy, _endpoints);
            busy = false;
            var key = policy.HashKey is not { } hash ? 0 : request is null ? RequestKey.Of(client) : hash.Of(request);
            var chosen = request is not null && tried is null && policy.Sticky?.Find(request, Uid, endpoints.All) is { IsSuspect: false } kept ? kept : null;
            if (chosen is null || chosen.InFlight >= policy.MaxPerReplica)
            {
                var (first, second) = endpoints.Draw(random, again: tried is not null);
                chosen = first.All.Length == 0 ? null
                    : tried is null && !_hasSuspects && policy.MaxPerReplica == int.MaxValue ? policy.Balancer.Pick(first.Near, key)
                    : PickCarefully(policy, first, second, tried, key, ref busy);
                if (chosen is not null && Volatile.Read(ref _slowUntil) != 0)
                {
                    chosen = Ease(policy, chosen, first, tried);
                }
            }

            if (chosen is null || chosen.TryEnter(policy.MaxPerReplica))
            {
                return chosen;
            }

            // Retired just now: it left the array before it was retired, so another look does not find it. Or filled: another look sees it.
        }
    }

    /// <summary>Waits for an endpoint, if the app is one whose requests are held.</summary>
    /// <param name="started">Timestamp of the request's headers.</param>
    public ValueTask<HoldEnd> HoldAsync(long started, CancellationToken clientGone) =>
        Held.WaitAsync(started, _policy.RequestTimeout, IsServed, clientGone);

    public void Dispose()
    {
        Observe(null);
        ScaleBy(null);
        Metrics.Dispose();
        _tcp?.Dispose();
    }

    private EndpointSet NewSet(ReplicaEndpoint[] endpoints, TrafficSplit? split) => new(endpoints, split, _policy.PrefersZone ? zone : null);

    private bool IsServed() => _endpoints.All.Length > 0;

    private static ReplicaEndpoint? PickCarefully(
        AppPolicy policy, EndpointSide first, EndpointSide second, IReadOnlyList<ReplicaEndpoint>? tried, ulong key, ref bool busy)
    {
        var usable = ArrayPool<ReplicaEndpoint>.Shared.Rent(Math.Max(first.All.Length, second.All.Length));
        try
        {
            // One of another host than has just failed: with a host all its endpoints go, and a request has few tries.
            var count = tried is null ? 0 : Filter(first, one => !one.IsSuspect && !IsBeside(one, tried), tried, policy.MaxPerReplica, usable, ref busy);
            count = count > 0 ? count : Filter(first, static one => !one.IsSuspect, tried, policy.MaxPerReplica, usable, ref busy);
            count = count > 0 ? count : Filter(second, static one => !one.IsSuspect, tried, policy.MaxPerReplica, usable, ref busy);

            // Waiting for one that is busy is better than asking one that is avoided.
            count = count > 0 || busy ? count : Filter(first, static _ => true, tried, policy.MaxPerReplica, usable, ref busy);
            count = count > 0 || busy ? count : Filter(second, static _ => true, tried, policy.MaxPerReplica, usable, ref busy);
            return count == 0 ? null : policy.Balancer.Pick(usable.AsSpan(0, count), key);
        }
        finally
        {
            ArrayPool<ReplicaEndpoint>.Shared.Return(usable, clearArray: true);
        }
    }

    /// <summary>
    /// Another than the chosen one, if that is new: with a probability that falls as it warms up, so that its share grows with time.
    /// </summary>
    private ReplicaEndpoint Ease(AppPolicy policy, ReplicaEndpoint chosen, EndpointSide side, IReadOnlyList<ReplicaEndpoint>? tried)
    {
        var now = time.GetTimestamp();
        if (now > Volatile.Read(ref _slowUntil) || policy.SlowStart == TimeSpan.Zero)
        {
            Volatile.Write(ref _slowUntil, 0);
            return chosen;
        }

        if (Warmth(chosen) is var warmth && (warmth >= 1 || random.NextDouble() < warmth))
        {
            return chosen;
        }

        return Warm(side.Near) ?? (side.HasPreference ? Warm(side.All) : null) ?? chosen;

        ReplicaEndpoint? Warm(ReplicaEndpoint[] endpoints)
        {
            var start = random.Next(endpoints.Length);
            for (var i = 0; i < endpoints.Length; i++)
            {
                var other = endpoints[(start + i) % endpoints.Length];
                if (!other.IsSuspect && Warmth(other) >= 1 && other.InFlight < policy.MaxPerReplica && tried?.Contains(other) != true)
                {
                    return other;
                }
            }

            return null;
        }

        // Some from the first moment on, or it would never warm up.
        double Warmth(ReplicaEndpoint endpoint) =>
            endpoint.AddedAt is { } added ? Math.Max(0.1, time.GetElapsedTime(added, now) / policy.SlowStart) : 1;
    }

    /// <summary>Those that are wanted and have room: of the near ones if there are such.</summary>
    private static int Filter(
        EndpointSide side, Predicate<ReplicaEndpoint> wanted, IReadOnlyList<ReplicaEndpoint>? tried, int most, ReplicaEndpoint[] usable, ref bool busy) =>
        Filter(side.Near, wanted, tried, most, usable, ref busy) is > 0 and var near ? near
        : side.HasPreference ? Filter(side.All, wanted, tried, most, usable, ref busy)
        : 0;

    private static int Filter(
        ReplicaEndpoint[] endpoints, Predicate<ReplicaEndpoint> wanted, IReadOnlyList<ReplicaEndpoint>? tried, int most, ReplicaEndpoint[] usable, ref bool busy)
    {
        var count = 0;
        foreach (var endpoint in endpoints)
        {
            if (wanted(endpoint) && tried?.Contains(endpoint) != true)
            {
                if (endpoint.InFlight < most)
                {
                    usable[count++] = endpoint;
                }
                else
                {
                    busy = true;
                }
            }
        }

        return count;
    }

    private static bool IsBeside(ReplicaEndpoint endpoint, IReadOnlyList<ReplicaEndpoint> tried)
    {
        foreach (var one in tried)
        {
            if (one.Host == endpoint.Host)
            {
                return true;
            }
        }

        return false;
    }
}
