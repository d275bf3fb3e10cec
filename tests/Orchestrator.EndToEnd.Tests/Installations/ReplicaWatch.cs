using k8s;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>
/// Watches an app's Replicas change by change, as any client of the API server can, and remembers each moment at which a rollout
/// was not within its limits. Those that are being deleted count for nothing.
/// </summary>
internal sealed class ReplicaWatch : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _breaches = [];
    private readonly k8s.Kubernetes _kubernetes;
    private readonly Informer<Replica> _replicas;
    private readonly Task _watching;
    private int _most;
    private int _fewestReady;
    private string? _lost;

    private ReplicaWatch(Installation installation, string app, int most, int fewestReady)
    {
        (_most, _fewestReady) = (most, fewestReady);
        _kubernetes = new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(installation.Kubeconfig));
        _replicas = new Informer<Replica>(
            new ResourceClient<Replica>(_kubernetes, "test"), $"{Labels.App}={app}", NullLogger.Instance, TimeProvider.System, "default");
        _replicas.Subscribe(_ => Look());
        _watching = _replicas.RunAsync(_stop.Token);
    }

    /// <summary>Moments outside the limits, each with what there was.</summary>
    public IReadOnlyList<string> Breaches
    {
        get
        {
            lock (_gate)
            {
                return [.. _breaches];
            }
        }
    }

    /// <param name="most">Replicas that there may be at once.</param>
    /// <param name="fewestReady">Of them, how many are ready at the least.</param>
    public static async Task<ReplicaWatch> StartAsync(Installation installation, string app, int most, int fewestReady)
    {
        var watch = new ReplicaWatch(installation, app, most, fewestReady);
        await watch._replicas.WaitForSyncAsync(CancellationToken.None);
        return watch;
    }

    /// <summary>A host is lost: from here on nothing on it counts, and what was there may be missing.</summary>
    public void Lose(string host)
    {
        lock (_gate)
        {
            _lost = host;
            _fewestReady -= Live().Count(replica => replica.Spec.HostName == host);
        }
    }

    /// <summary>The host is back: what is on it counts again, and there may be as many more until they are gone.</summary>
    public void Regain()
    {
        lock (_gate)
        {
            _most += Live().Count(replica => replica.Spec.HostName == _lost);
            _lost = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
        _kubernetes.Dispose();
    }

    private void Look()
    {
        lock (_gate)
        {
            var live = Live().Where(replica => replica.Spec.HostName != _lost).ToList();
            var ready = live.Count(replica => replica.Status?.Ready == true);
            if (live.Count > _most || ready < _fewestReady)
            {
                _breaches.Add($"{live.Count} replicas (at the most {_most}), {ready} ready (at the least {_fewestReady}): "
                    + string.Join("; ", live.Select(replica => $"{replica.Metadata.Name} on {replica.Spec.HostName}: {replica.Status?.Phase}, ready {replica.Status?.Ready}")));
            }
        }
    }

    private List<Replica> Live() =>
        [.. _replicas.Items.Values.Where(replica => replica.Metadata.DeletionTimestamp is null)];
}
