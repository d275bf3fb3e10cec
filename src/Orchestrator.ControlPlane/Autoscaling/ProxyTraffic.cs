using System.Collections.Concurrent;
using System.Collections.Frozen;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Autoscaling;

/// <summary>What all live proxies together see of an app.</summary>
/// <param name="Problem">Why its rates are not known, for people; null when they are.</param>
/// <param name="Waiting">Requests that wait for a replica, as far as is known.</param>
/// <param name="Latencies">Null: nobody has asked for them.</param>
internal sealed record AppTraffic(string? Problem, double RequestsPerSecond, double InFlight, int Waiting, IReadOnlyList<long>? Latencies)
{
    public bool IsIdle => RequestsPerSecond <= 0 && InFlight <= 0 && Waiting == 0;
}

/// <summary>What proxies tell of apps that are scaled by it (<see cref="Annotations.Traffic"/>), read once for each time they say it.</summary>
internal sealed class ProxyTraffic
{
    private readonly LiveProxies _proxies;
    private readonly ConcurrentDictionary<ObjectKey, Told> _told = new();

    /// <summary>Subscribes to the informers: to be made before they run.</summary>
    public ProxyTraffic(SharedInformers informers, LiveProxies proxies)
    {
        _proxies = proxies;
        informers.ProxyLeases.Subscribe(Take);
    }

    /// <summary>Called with each app for which a proxy has requests waiting, when it says so.</summary>
    public Action<ObjectKey>? Waits { get; set; }

    public AppTraffic Of(ObjectKey app)
    {
        var name = app.ToString();
        var sum = new AppTraffic(null, 0, 0, 0, null);
        string? problem = "no proxy is there to see it";
        foreach (var (lease, _, _) in _proxies.Leases)
        {
            problem = problem == "no proxy is there to see it" ? null : problem;
            var told = _told.GetValueOrDefault(lease);
            if (told?.Apps.TryGetValue(name, out var seen) != true)
            {
                problem ??= told is { Omitted: > 0 }
                    ? $"proxy {lease.Name} has no room to tell of it among so many apps"
                    : $"proxy {lease.Name} does not tell of it";
                continue;
            }

            if (seen is not { RequestsPerSecond: { } requests, InFlight: { } inFlight })
            {
                problem ??= $"proxy {lease.Name} has only just begun to count";
                sum = sum with { Waiting = sum.Waiting + seen!.Waiting };
                continue;
            }

            sum = new(
                null,
                sum.RequestsPerSecond + requests,
                sum.InFlight + inFlight,
                sum.Waiting + seen.Waiting,
                seen.Latencies is null ? sum.Latencies : LatencyBuckets.Sum(sum.Latencies ?? [], seen.Latencies));
        }

        return sum with { Problem = problem };
    }

    private void Take(InformerEvent<V1Lease> change)
    {
        if (change.New is not { } lease)
        {
            _told.TryRemove(change.Key, out _);
            return;
        }

        var text = lease.Metadata.Annotations is { } annotations && annotations.TryGetValue(Annotations.Traffic, out var written) ? written : null;
        if (_told.TryGetValue(change.Key, out var before) && before.Text == text)
        {
            return;
        }

        var report = TrafficReport.Read(text);
        var told = new Told(
            text, report.Apps.Where(app => app is { App: not null }).DistinctBy(app => app.App).ToFrozenDictionary(app => app.App), report.Omitted);
        _told[change.Key] = told;
        foreach (var app in told.Apps.Values.Where(app => app.Waiting > 0))
        {
            if (app.App.Split('/', 2) is [var @namespace, var name])
            {
                Waits?.Invoke(new(@namespace, name));
            }
        }
    }

    private sealed record Told(string? Text, FrozenDictionary<string, TrafficObservation> Apps, int Omitted);
}
