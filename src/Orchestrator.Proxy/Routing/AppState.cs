using System.Buffers;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// An app as the proxy serves it: its endpoints now, and what outlives a change of them (balancer, metrics, retry budget).
/// Written by the one owner of the routes, read by every request.
/// </summary>
internal sealed class AppState(ObjectKey key, Random random, TimeProvider time) : IDisposable
{
    private readonly Lock _gate = new();
    private volatile EndpointSet _endpoints = new([], split: null);
    private volatile IBalancer _balancer = Balancers.Create(null, random);
    private volatile bool _hasSuspects;
    private volatile CanaryCounts? _canary;
    private RouteEntry? _plain;

    public ObjectKey Key { get; } = key;

    public AppMetrics Metrics { get; } = new(key);

    public RetryBudget Retries { get; } = new(time);

    /// <summary>What it holds of the space of requests (<see cref="RouteClaims"/>).</summary>
    public IReadOnlyList<RouteClaim> Claims { get; set; } = [];

    /// <summary>What its route says beyond them; null: nothing.</summary>
    public RequestRules? Rules { get; private set; }

    /// <summary><see cref="BalancingPolicies"/>; null is the default one.</summary>
    public string? Balancing { get; private set; }

    /// <summary>A snapshot; never changed in place.</summary>
    public IReadOnlyList<ReplicaEndpoint> Endpoints => _endpoints.All;

    /// <inheritdoc cref="Endpoints"/>
    public EndpointSet Shared => _endpoints;

    /// <summary>Null when none is under way. Ask before <see cref="Acquire"/>: then what is counted was shared as the period says.</summary>
    public CanaryCounts? Canary => _canary;

    public void BalanceBy(string? policy)
    {
        if (policy != Balancing)
        {
            _balancer = Balancers.Create(policy, random);
            Balancing = policy;
        }
    }

    public void RuleBy(RouteRules? rules)
    {
        if (rules != Rules?.Source)
        {
            Rules = rules is null ? null : new(rules);
            _plain = Rules is null ? null : new(this, Rules.Matcher, Redirect: null);
        }
    }

    /// <summary>What the table has at one of its claims.</summary>
    public RouteEntry EntryAt(RouteClaim claim) =>
        Rules?.RedirectAt(claim) is { } redirect ? new(this, Matcher: null, redirect) : _plain ??= new(this, Rules?.Matcher, Redirect: null);

    /// <summary>From now on requests are sent to these. The caller retires the ones that are left out.</summary>
    public void ReplaceEndpoints(ReplicaEndpoint[] endpoints, TrafficSplit? split)
    {
        lock (_gate)
        {
            _endpoints = new(endpoints, split);
            _hasSuspects = Array.Exists(endpoints, static endpoint => endpoint.IsSuspect);
        }

        Metrics.Endpoints.Set(endpoints.Length);
    }

    /// <summary>From now on requests are shared like this among the endpoints there are.</summary>
    public void ShareBy(TrafficSplit? split)
    {
        lock (_gate)
        {
            if (_endpoints.Split != split)
            {
                _endpoints = new(_endpoints.All, split);
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

    /// <returns>False if it was one already.</returns>
    public bool Suspect(ReplicaEndpoint endpoint)
    {
        lock (_gate)
        {
            if (endpoint.IsSuspect)
            {
                return false;
            }

            endpoint.IsSuspect = true;
            _hasSuspects = true;
            return true;
        }
    }

    public void Trust(ReplicaEndpoint endpoint)
    {
        lock (_gate)
        {
            endpoint.IsSuspect = false;
            _hasSuspects = Array.Exists(_endpoints.All, static one => one.IsSuspect);
        }
    }

    /// <summary>
    /// Chooses an endpoint and counts the request in; give it back by <see cref="ReplicaEndpoint.Leave"/>. Suspects are chosen
    /// only when every other has been tried, on both sides of a split: all of them suspect is as good as none.
    /// </summary>
    /// <param name="tried">Those that have failed this request; never chosen.</param>
    /// <returns>Null when there is none left.</returns>
    public ReplicaEndpoint? Acquire(IReadOnlyList<ReplicaEndpoint>? tried)
    {
        while (true)
        {
            var (first, second) = _endpoints.Draw(random, again: tried is not null);
            var chosen = first.Length == 0 ? null
                : tried is null && !_hasSuspects ? _balancer.Pick(first)
                : PickCarefully(first, second, tried);
            if (chosen is null || chosen.TryEnter())
            {
                return chosen;
            }

            // Retired just now: it left the array before it was retired, so another look does not find it.
        }
    }

    public void Dispose()
    {
        Observe(null);
        Metrics.Dispose();
    }

    private ReplicaEndpoint? PickCarefully(ReplicaEndpoint[] first, ReplicaEndpoint[] second, IReadOnlyList<ReplicaEndpoint>? tried)
    {
        var usable = ArrayPool<ReplicaEndpoint>.Shared.Rent(Math.Max(first.Length, second.Length));
        try
        {
            var count = Filter(first, tried, suspectsToo: false, usable);
            count = count > 0 ? count : Filter(second, tried, suspectsToo: false, usable);
            count = count > 0 ? count : Filter(first, tried, suspectsToo: true, usable);
            count = count > 0 ? count : Filter(second, tried, suspectsToo: true, usable);
            return count == 0 ? null : _balancer.Pick(usable.AsSpan(0, count));
        }
        finally
        {
            ArrayPool<ReplicaEndpoint>.Shared.Return(usable, clearArray: true);
        }
    }

    private static int Filter(
        ReplicaEndpoint[] endpoints, IReadOnlyList<ReplicaEndpoint>? tried, bool suspectsToo, ReplicaEndpoint[] usable)
    {
        var count = 0;
        foreach (var endpoint in endpoints)
        {
            if ((suspectsToo || !endpoint.IsSuspect) && (tried is null || !tried.Contains(endpoint)))
            {
                usable[count++] = endpoint;
            }
        }

        return count;
    }
}
