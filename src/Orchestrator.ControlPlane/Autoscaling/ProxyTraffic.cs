using System.Collections.Concurrent;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What the live proxies tell of apps (<see cref="Annotations.Traffic"/>), read once for each time they say it.</summary>
internal sealed class ProxyTraffic
{
    private readonly LiveProxies _proxies;
    private readonly ConcurrentDictionary<ObjectKey, ToldTraffic> _told = new();

    /// <summary>Subscribes to the informers: to be made before they run.</summary>
    public ProxyTraffic(SharedInformers informers, LiveProxies proxies)
    {
        _proxies = proxies;
        informers.ProxyLeases.Subscribe(Take);
    }

    /// <summary>Called with each app for which a proxy has requests waiting, when it says so.</summary>
    public Action<ObjectKey>? Waits { get; set; }

    public AppTraffic Of(ObjectKey app) =>
        AppTraffic.Sum(app.ToString(), _proxies.Leases.Select(live => _told.GetValueOrDefault(live.Key) ?? ToldTraffic.Of(live.Lease)));

    private void Take(InformerEvent<V1Lease> change)
    {
        if (change.New is not { } lease)
        {
            _told.TryRemove(change.Key, out _);
            return;
        }

        var before = _told.GetValueOrDefault(change.Key);
        var told = ToldTraffic.Of(lease, before);
        if (told == before)
        {
            return;
        }

        _told[change.Key] = told;
        foreach (var app in told.Apps.Where(app => app.Waiting > 0))
        {
            if (app.App.Split('/', 2) is [var @namespace, var name])
            {
                Waits?.Invoke(new(@namespace, name));
            }
        }
    }
}
