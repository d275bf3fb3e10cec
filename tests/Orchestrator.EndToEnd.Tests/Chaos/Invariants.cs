using System.Collections.Concurrent;
using System.Diagnostics;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.EndToEnd.Tests.Chaos;

/// <summary>
/// What must hold at every moment, whatever breaks: no Replica has two containers, and no app has more replicas than it wants and its
/// surge. Looked at from outside, in the API and on the engines.
/// </summary>
internal sealed class Invariants : IAsyncDisposable
{
    /// <summary>What was wanted this long ago may still be there: the control plane may have been down since.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    /// <summary>An engine that takes longer is one of those that are broken right now.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _breaches = [];
    private readonly List<(TimeSpan At, string App, int Replicas)> _wanted = [];
    private readonly HashSet<string> _uncounted = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Installation _installation;
    private readonly k8s.Kubernetes _kubernetes;
    private readonly Informer<WebApp> _apps;
    private readonly Informer<Replica> _replicas;
    private readonly Task _watching;

    public Invariants(Installation installation)
    {
        _installation = installation;
        _kubernetes = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(installation.Kubeconfig));
        _apps = new Informer<WebApp>(new ResourceClient<WebApp>(_kubernetes, "test"), null, NullLogger.Instance, TimeProvider.System, "default");
        _replicas = new Informer<Replica>(new ResourceClient<Replica>(_kubernetes, "test"), null, NullLogger.Instance, TimeProvider.System, "default");
        _apps.Subscribe(Remember);
        _watching = Task.WhenAll(_apps.RunAsync(_stop.Token), _replicas.RunAsync(_stop.Token), LookAsync());
    }

    public IReadOnlyCollection<string> Breaches => _breaches;

    /// <summary>What is on a host that breaks is lost, and replaced; until all is at rest again it counts for nothing.</summary>
    public void Break(string host)
    {
        lock (_gate)
        {
            _uncounted.Add(host);
        }
    }

    /// <summary>All is as it should be: every host counts again.</summary>
    public void Rest()
    {
        lock (_gate)
        {
            _uncounted.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
        _kubernetes.Dispose();
    }

    private void Remember(InformerEvent<WebApp> change)
    {
        lock (_gate)
        {
            _wanted.Add((_watch.Elapsed, change.Key.Name, change.New?.Spec.Replicas ?? 0));
        }
    }

    private async Task LookAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            CountReplicas();
            await CountContainersAsync();
            await Pace.PassAsync(Period, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void CountReplicas()
    {
        lock (_gate)
        {
            var since = _watch.Elapsed - Memory;
            foreach (var app in _wanted.GroupBy(wanted => wanted.App))
            {
                // The newest of those before counts too: it was what was wanted when the time began.
                var recent = app.Where(wanted => wanted.At >= since).Concat(app.Where(wanted => wanted.At < since).TakeLast(1));
                var most = recent.Max(wanted => wanted.Replicas) + Walk.Surge;
                var live = _replicas.Items.Values
                    .Where(replica => replica.Spec.AppName == app.Key && replica.Metadata.DeletionTimestamp is null
                        && (replica.Spec.HostName is null || !_uncounted.Contains(replica.Spec.HostName)))
                    .ToList();
                if (live.Count > most)
                {
                    _breaches.Enqueue($"{app.Key} has {live.Count} replicas, at the most {most} may be there: "
                        + string.Join(", ", live.Select(replica => $"{replica.Metadata.Name} on {replica.Spec.HostName}")));
                }
            }
        }
    }

    private async Task CountContainersAsync()
    {
        var lists = await Task.WhenAll(_installation.Engines.Select(async engine =>
        {
            try
            {
                return await engine.ContainersAsync().WaitAsync(Patience);
            }
            catch (Exception failure) when (failure is HttpRequestException or TimeoutException or IOException)
            {
                return [];
            }
        }));
        foreach (var of in lists.SelectMany(list => list).Where(_installation.IsOurs).GroupBy(container => container.Labels.GetValueOrDefault(Labels.ReplicaUid)))
        {
            if (of.Key is not null && of.Count() > 1)
            {
                _breaches.Enqueue($"replica {of.First().Labels.GetValueOrDefault(Labels.Replica)} has {of.Count()} containers: "
                    + string.Join(", ", of.Select(container => $"{container.Name} ({container.State}) on {container.Host}")));
            }
        }
    }
}
