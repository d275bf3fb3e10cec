using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Policies;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Proxy.Routing;

/// <summary>
/// Turns WebApps and Replicas into routes. Changes are gathered for a few milliseconds and then applied together: endpoints app
/// by app, the table as a whole only when an app's route has changed.
/// </summary>
/// <remarks>
/// DockerHosts have no say: the address of a replica is in its status, and a host whose engine does not answer may well have
/// containers that do. Whether a replica serves is for its host agent to say, and for connections to show.
/// </remarks>
internal sealed partial class RouteWatcher
{
    /// <summary>From the first change to applying it. Short beside a container's start, long beside a burst of watch events.</summary>
    public static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(5);

    private readonly Informer<WebApp> _apps;
    private readonly Informer<Replica> _replicas;
    private readonly Routes _routes;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Signal _changed = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKey, string> _deleting = [];
    private HashSet<ObjectKey> _dirtyApps = [];
    private HashSet<ObjectKey> _dirtyReplicas = [];
    private bool _routesDirty;
    private volatile IReadOnlyList<string> _deletingUids = [];

    public RouteWatcher(Informer<WebApp> apps, Informer<Replica> replicas, Routes routes, ILogger<RouteWatcher> logger, TimeProvider time)
    {
        (_apps, _replicas, _routes, _logger, _time) = (apps, replicas, routes, logger, time);
        apps.Subscribe(OnApp);
        replicas.Subscribe(OnReplica);
    }

    /// <summary>Whether the routes are the API's; before that they are what was found on disk, or none.</summary>
    public bool HasSynced => _synced.Task.IsCompletedSuccessfully;

    /// <summary>
    /// Uids of the deleting Replicas that hosts carry, as of the changes that have been applied: none of them is in the table, and
    /// none will be again.
    /// </summary>
    public IReadOnlyList<string> DeletingUids => _deletingUids;

    /// <summary>Raised after changes were applied.</summary>
    public event Action? Applied;

    public Task WaitForSyncAsync(CancellationToken cancellationToken) => _synced.Task.WaitAsync(cancellationToken);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_apps.WaitForSyncAsync(cancellationToken), _replicas.WaitForSyncAsync(cancellationToken));

        // Whatever the routes hold when this begins is from disk, or from a run that broke: the first time all is looked at.
        for (var everything = true; ; everything = false)
        {
            var started = _time.GetTimestamp();
            Apply(everything);
            if (_synced.TrySetResult())
            {
                Log.Synced(_logger, _routes.Table.Apps.Count, _time.GetElapsedTime(started));
            }

            Applied?.Invoke();
            await _changed.WaitAsync(cancellationToken);
            await Task.Delay(Debounce, _time, cancellationToken);
        }
    }

    /// <summary>The endpoint a Replica is, if requests may be sent to it now, and whether it is ready: those that are not are for want of others.</summary>
    internal static (EndpointId Endpoint, bool IsReady)? EndpointOf(Replica replica) =>
        replica is
        {
            Metadata: { DeletionTimestamp: null, Uid: { } uid },
            Status: { Address: { Length: > 0 } address, Port: { } port } status,
        } && (status.Ready || UnheardReasons.Explain(status))
            ? (new EndpointId(uid, address, port, replica.Spec.Revision, status.Zone), status.Ready)
            : null;

    private void Apply(bool everything)
    {
        HashSet<ObjectKey> apps, replicas;
        bool all;
        lock (_gate)
        {
            (apps, _dirtyApps) = (_dirtyApps, []);
            (replicas, _dirtyReplicas) = (_dirtyReplicas, []);
            (all, _routesDirty) = (_routesDirty, false);
        }

        // Deleting ones are looked at before endpoints are: a Replica marked between the two is in neither until the next round.
        ApplyDeleting(everything ? _replicas.Items.Keys : replicas);
        if (all || everything)
        {
            _routes.ReplaceAll(Wanted(everything ? null : apps));
            return;
        }

        foreach (var key in apps)
        {
            _routes.ReplaceEndpoints(key, EndpointsOf(key), _apps.Get(key) is { } app ? Traffic.Of(app) : default);
        }
    }

    /// <param name="dirty">Apps whose endpoints may have changed; null is all.</param>
    private List<AppRoute> Wanted(HashSet<ObjectKey>? dirty)
    {
        var unchanged = dirty is null ? [] : _routes.Table.Apps.Select(app => app.Key).ToHashSet();
        unchanged.ExceptWith(dirty ?? []);
        return
        [
            .. RouteClaims.Assign(_apps.Items.Values).Held.Select(held => (Key: ObjectKey.Of(held.App), held.App, held.Claims)).Select(held => new AppRoute(
                held.Key,
                held.App.Spec.Route!,
                held.Claims,
                unchanged.Contains(held.Key) ? null : EndpointsOf(held.Key),
                Traffic.Of(held.App),
                held.App.Metadata.Uid ?? "")),
        ];
    }

    /// <summary>
    /// The ready ones. If there is none, those that were and have merely not been heard of in time: too many users make all replicas of an app answer
    /// late, and it is no help to turn away all users then.
    /// </summary>
    private List<EndpointId> EndpointsOf(ObjectKey app)
    {
        var (ready, unheard) = (new List<EndpointId>(), new List<EndpointId>());
        foreach (var replica in _replicas.ByIndex(ReplicaIndexes.ByApp, ReplicaIndexes.AppKey(app.Namespace ?? "", app.Name)))
        {
            if (EndpointOf(replica) is { } found)
            {
                (found.IsReady ? ready : unheard).Add(found.Endpoint);
            }
        }

        if (ready.Count > 0 || unheard.Count == 0)
        {
            return ready;
        }

        Log.NoneReady(_logger, app, unheard.Count);
        return unheard;
    }

    private void ApplyDeleting(IEnumerable<ObjectKey> replicas)
    {
        var changed = false;
        foreach (var key in replicas)
        {
            // Only a bound one has a container that waits for us.
            if (_replicas.Get(key) is { Metadata: { DeletionTimestamp: not null, Uid: { } uid }, Spec.HostName: not null })
            {
                changed |= _deleting.GetValueOrDefault(key) != uid;
                _deleting[key] = uid;
            }
            else
            {
                changed |= _deleting.Remove(key);
            }
        }

        if (changed)
        {
            _deletingUids = [.. _deleting.Values];
        }
    }

    private void OnApp(InformerEvent<WebApp> change)
    {
        var (before, after) = (change.Old, change.New);
        if (ChangesRoutes(before, after))
        {
            lock (_gate)
            {
                _routesDirty = true;
            }

            _changed.Set();
        }
        else if (Traffic.Of(before) != Traffic.Of(after))
        {
            lock (_gate)
            {
                _dirtyApps.Add(change.Key);
            }

            _changed.Set();
        }
    }

    private void OnReplica(InformerEvent<Replica> change)
    {
        var before = change.Old is null ? null : EndpointOf(change.Old);
        var after = change.New is null ? null : EndpointOf(change.New);
        var marked = change.Object.Metadata.DeletionTimestamp is not null;
        if (before == after && !marked)
        {
            return;
        }

        lock (_gate)
        {
            if (before != after)
            {
                _dirtyApps.Add(new ObjectKey(change.Key.Namespace, change.Object.Spec.AppName));
            }

            _dirtyReplicas.Add(change.Key);
        }

        _changed.Set();
    }

    /// <summary>Controllers write a WebApp's status often; that is no reason to build the table anew.</summary>
    private static bool ChangesRoutes([NotNullWhen(false)] WebApp? before, [NotNullWhen(false)] WebApp? after)
    {
        if (before is null || after is null || before.Metadata.Uid != after.Metadata.Uid)
        {
            return true;
        }

        return before.Metadata.DeletionTimestamp is null != after.Metadata.DeletionTimestamp is null
            || !AppPolicy.AreSame(before.Spec.Route, after.Spec.Route);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Routes of {Apps} apps taken from the API server in {Elapsed}")]
        public static partial void Synced(ILogger logger, int apps, TimeSpan elapsed);

        [LoggerMessage(
            Level = LogLevel.Warning,
            Message = "No replica of app {App} is ready; requests go to the {Count} that were, and of which nothing was heard in time")]
        public static partial void NoneReady(ILogger logger, ObjectKey app, int count);
    }
}
