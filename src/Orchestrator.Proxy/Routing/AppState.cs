using System.Buffers;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
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
    private volatile ReplicaEndpoint[] _endpoints = [];
    private volatile IBalancer _balancer = Balancers.Create(null, random);
    private volatile bool _hasSuspects;

    public ObjectKey Key { get; } = key;

    public AppMetrics Metrics { get; } = new(key);

    public RetryBudget Retries { get; } = new(time);

    /// <summary>What it holds of the space of requests (<see cref="RouteClaims"/>).</summary>
    public IReadOnlyList<RouteClaim> Claims { get; set; } = [];

    /// <summary><see cref="BalancingPolicies"/>; null is the default one.</summary>
    public string? Balancing { get; private set; }

    /// <summary>A snapshot; never changed in place.</summary>
    public IReadOnlyList<ReplicaEndpoint> Endpoints => _endpoints;

    public void BalanceBy(string? policy)
    {
        if (policy != Balancing)
        {
            _balancer = Balancers.Create(policy, random);
            Balancing = policy;
        }
    }

    /// <summary>From now on requests are sent to these. The caller retires the ones that are left out.</summary>
    public void ReplaceEndpoints(ReplicaEndpoint[] endpoints)
    {
        lock (_gate)
        {
            _endpoints = endpoints;
            _hasSuspects = Array.Exists(endpoints, static endpoint => endpoint.IsSuspect);
        }

        Metrics.Endpoints.Set(endpoints.Length);
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
            _hasSuspects = Array.Exists(_endpoints, static one => one.IsSuspect);
        }
    }

    /// <summary>
    /// Chooses an endpoint and counts the request in; give it back by <see cref="ReplicaEndpoint.Leave"/>. Suspects are chosen
    /// only when every other has been tried: all of them suspect is as good as none.
    /// </summary>
    /// <param name="tried">Those that have failed this request; never chosen.</param>
    /// <returns>Null when there is none left.</returns>
    public ReplicaEndpoint? Acquire(IReadOnlyList<ReplicaEndpoint>? tried)
    {
        while (true)
        {
            var endpoints = _endpoints;
            var chosen = endpoints.Length == 0 ? null
                : tried is null && !_hasSuspects ? _balancer.Pick(endpoints)
                : PickCarefully(endpoints, tried);
            if (chosen is null || chosen.TryEnter())
            {
                return chosen;
            }

            // Retired just now: it left the array before it was retired, so another look does not find it.
        }
    }

    public void Dispose() => Metrics.Dispose();

    private ReplicaEndpoint? PickCarefully(ReplicaEndpoint[] endpoints, IReadOnlyList<ReplicaEndpoint>? tried)
    {
        var usable = ArrayPool<ReplicaEndpoint>.Shared.Rent(endpoints.Length);
        try
        {
            var count = Filter(endpoints, tried, suspectsToo: false, usable);
            if (count == 0)
            {
                count = Filter(endpoints, tried, suspectsToo: true, usable);
            }

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
