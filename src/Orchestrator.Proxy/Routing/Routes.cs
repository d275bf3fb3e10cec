using System.Collections.Concurrent;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Routing;

/// <summary>What is wanted of the routes: an app with the claims it holds and its endpoints. Plain data.</summary>
/// <param name="Route">What it asks for beside its claims.</param>
/// <param name="Endpoints">Null: those it has.</param>
/// <param name="Uid">Of the WebApp.</param>
internal sealed record AppRoute(
    ObjectKey App, Route Route, IReadOnlyList<RouteClaim> Claims, IReadOnlyList<EndpointId>? Endpoints, Traffic Traffic = default, string Uid = "");

/// <summary>
/// The routes of this process: one thread changes them, all requests read <see cref="Table"/>. Keeps the objects of apps and
/// endpoints that stay, so that counts and connections stay with them, and remembers retired endpoints until they are idle.
/// </summary>
/// <param name="zone">This proxy's; null: it is not said.</param>
internal sealed class Routes(int sharedPort, SharedRandom random, TimeProvider time, string? zone = null)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, AppState> _apps = [];

    // Of all those endpoints.
    private readonly Dictionary<string, ReplicaHost> _hosts = [];

    // Endpoints of every replica that requests may still be on their way to, the retired ones among them.
    private readonly Dictionary<string, List<ReplicaEndpoint>> _byUid = [];

    // Retired endpoints whose last request has ended: forgotten at the next change, so that no request waits for the lock.
    private readonly ConcurrentQueue<ReplicaEndpoint> _idle = [];
    private volatile RouteTable _table = new([], sharedPort);

    public RouteTable Table => _table;

    /// <summary>The machines of all endpoints. A snapshot.</summary>
    public IReadOnlyList<ReplicaHost> Hosts
    {
        get
        {
            lock (_gate)
            {
                return [.. _hosts.Values];
            }
        }
    }

    /// <summary>At all replicas, those included that get no new ones any more.</summary>
    public int RequestsInFlight
    {
        get
        {
            lock (_gate)
            {
                return _byUid.Values.Sum(static endpoints => endpoints.Sum(static endpoint => endpoint.InFlight));
            }
        }
    }

    /// <summary>Raised when a retired endpoint's last request has ended, by the thread of that request.</summary>
    public event Action? Drained;

    /// <summary>Raised when requests of an app begin to wait for a replica, or none does any more, by the thread of such a request.</summary>
    public event Action? HoldingChanged;

    /// <summary>Makes the routes these and no others.</summary>
    /// <param name="wanted">The oldest app first.</param>
    public void ReplaceAll(IReadOnlyCollection<AppRoute> wanted)
    {
        lock (_gate)
        {
            var before = _apps.ToDictionary();
            _apps.Clear();
            var apps = new List<AppState>(wanted.Count);
            foreach (var route in wanted)
            {
                var isNew = !before.Remove(route.App, out var known);
                var app = known ?? new AppState(route.App, random, time, zone) { Held = { Changed = () => HoldingChanged?.Invoke() } };
                app.Obey(route.Route);
                (app.Claims, app.Uid) = (route.Claims, route.Uid);
                _apps.Add(route.App, app);
                apps.Add(app);
                Set_NeedsLock(app, route.Endpoints, route.Traffic, isNew);
            }

            _table = new RouteTable(apps, sharedPort);
            foreach (var gone in before.Values)
            {
                Set_NeedsLock(gone, [], default);
                gone.Dispose();
            }
        }
    }

    /// <summary>No routes any more, and nothing of them left in the metrics.</summary>
    public void Clear() => ReplaceAll([]);

    /// <summary>Gives an app other endpoints, or another share of the requests to them; an app without a route is passed over.</summary>
    public void ReplaceEndpoints(ObjectKey key, IReadOnlyList<EndpointId> endpoints, Traffic traffic)
    {
        lock (_gate)
        {
            if (_apps.TryGetValue(key, out var app))
            {
                Set_NeedsLock(app, endpoints, traffic);
            }
        }
    }

    /// <summary>Whether nothing is sent to a replica any more and nothing is in flight to it.</summary>
    public bool IsDrained(string uid)
    {
        lock (_gate)
        {
            return !_byUid.TryGetValue(uid, out var endpoints)
                || endpoints.TrueForAll(static endpoint => endpoint is { IsRetired: true, InFlight: 0 });
        }
    }

    /// <param name="isNew">Its endpoints are new to us, and most likely to nobody else.</param>
    private void Set_NeedsLock(AppState app, IReadOnlyList<EndpointId>? endpoints, Traffic traffic, bool isNew = false)
    {
        SetEndpoints_NeedsLock(app, endpoints, traffic.Split, isNew ? null : time.GetTimestamp());
        app.Observe(traffic.Canary);
        app.ScaleBy(traffic.Autoscaling);
    }

    private void SetEndpoints_NeedsLock(AppState app, IReadOnlyList<EndpointId>? wanted, TrafficSplit? split, long? addedAt)
    {
        while (_idle.TryDequeue(out var idle))
        {
            Forget_NeedsLock(idle);
        }

        var before = app.Endpoints;
        if (wanted is null || (before.Count == wanted.Count && before.Select(endpoint => endpoint.Id).SequenceEqual(wanted)))
        {
            app.ShareBy(split);
            return;
        }

        var known = before.ToDictionary(endpoint => endpoint.Id);
        var after = new ReplicaEndpoint[wanted.Count];
        for (var i = 0; i < after.Length; i++)
        {
            after[i] = known.Remove(wanted[i], out var stays) ? stays : Add_NeedsLock(app.Key, wanted[i], addedAt);
        }

        // Out of the table first, retired next: see ReplicaEndpoint.TryEnter.
        app.ReplaceEndpoints(after, split);
        foreach (var gone in known.Values)
        {
            if (gone.Retire())
            {
                Forget_NeedsLock(gone);
            }
        }
    }

    private ReplicaEndpoint Add_NeedsLock(ObjectKey app, EndpointId id, long? addedAt)
    {
        if (!_hosts.TryGetValue(id.Address, out var host))
        {
            _hosts.Add(id.Address, host = new ReplicaHost(id.Address, time));
        }

        var endpoint = new ReplicaEndpoint(id) { OnDrained = Ended, Host = host, AddedAt = addedAt, Metrics = new(app, id.Uid) };
        host.Add(endpoint);
        if (_byUid.TryGetValue(id.Uid, out var endpoints))
        {
            endpoints.Add(endpoint);
        }
        else
        {
            _byUid.Add(id.Uid, [endpoint]);
        }

        return endpoint;
    }

    private void Forget_NeedsLock(ReplicaEndpoint endpoint)
    {
        // Told of more than once: a request that lost the race against retiring counts itself in and out again.
        if (!_byUid.TryGetValue(endpoint.Id.Uid, out var endpoints) || !endpoints.Remove(endpoint))
        {
            return;
        }

        if (endpoints.Count == 0)
        {
            _byUid.Remove(endpoint.Id.Uid);
        }

        endpoint.Metrics?.Dispose();
        endpoint.Host.Remove(endpoint);
        if (endpoint.Host.Endpoints.IsEmpty)
        {
            _hosts.Remove(endpoint.Id.Address);
        }
    }

    private void Ended(ReplicaEndpoint endpoint)
    {
        _idle.Enqueue(endpoint);
        Drained?.Invoke();
    }
}
