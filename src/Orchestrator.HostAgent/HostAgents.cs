using System.Collections.Concurrent;
using System.Collections.ObjectModel;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Draining;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Engines.Ssh;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Probing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.HostAgent;

/// <summary>
/// Runs one agent for each DockerHost: containers, images, probes and status of what is bound to it. Of several processes only
/// the leader may run this.
/// </summary>
public sealed partial class HostAgents : IUsageSource, IDisposable
{
    /// <summary>A client must say in whose name it writes; this one does not write.</summary>
    private const string ReadsOnly = "orchestrator-agent";

    /// <summary>
    /// Looks of probes that hold a connection, of all hosts together. A machine that cannot keep up would have as many under way as it has replicas, and be out of
    /// files; who waits for a turn is looked at later, not found dead. Enough for 40,000 replicas a period of which none answers within a second.
    /// </summary>
    private const int LooksAtOnce = 4000;

    private readonly AgentServices _services;
    private readonly ConcurrentDictionary<string, RunningAgent> _agents = new();
    private readonly WorkQueue<ObjectKey> _hosts;
    private readonly WorkQueue<ObjectKey> _stranded;
    private readonly ILogger _logger;

    /// <summary>Subscribes to the informers: to be made before they run.</summary>
    /// <param name="instanceId"><see cref="InstanceId"/>; what carries another is not touched.</param>
    public HostAgents(
        SharedInformers informers, IKubernetes kubernetes, IEventRecorder events, string instanceId, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        _logger = loggers.CreateLogger<HostAgents>();
        _hosts = new WorkQueue<ObjectKey>("hosts", time);
        _stranded = new WorkQueue<ObjectKey>("stranded-replicas", time);
        var clock = new SteadyClock(time);
        var scheduler = new ProbeScheduler(time);
        _services = new AgentServices(
            informers,
            kubernetes,
            events,
            instanceId,
            new ProxyAcknowledgements(informers.ProxyLeases, clock, time),
            new ReferencedImages(informers, new ResourceClient<V1ControllerRevision>(kubernetes, ReadsOnly), time),
            scheduler,
            new Turns(LooksAtOnce),
            new HttpProber(scheduler),
            new LateEngines(),
            loggers,
            clock,
            time);
        informers.Hosts.Subscribe(change => _hosts.Add(change.Key));
        informers.Replicas.Subscribe(Route);
        informers.ProxyLeases.Subscribe(change =>
        {
            _services.Acknowledgements.Take(change);
            foreach (var running in _agents.Values)
            {
                running.Agent.EnqueueDeleting();
            }
        });
        informers.Secrets.Subscribe(change =>
        {
            if (change.Key.Namespace == ApiGroup.SystemNamespace && change.Kind != InformerEventKind.Deleted)
            {
                foreach (var running in _agents.Values)
                {
                    running.Agent.UpdateSecret(change.Key.Name);
                }
            }
        });
        informers.WebApps.Subscribe(change =>
        {
            if (change.Kind == InformerEventKind.Deleted)
            {
                ReplicaMetrics.Forget(change.Key.Namespace!, change.Key.Name);
            }
        });
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, ResourceUsage>> ReadAsync(string host, IReadOnlyCollection<string> containers, CancellationToken cancellationToken) =>
        _agents.TryGetValue(host, out var running) ? running.Agent.ReadUsageAsync(containers, cancellationToken)
        : Task.FromResult<IReadOnlyDictionary<string, ResourceUsage>>(ReadOnlyDictionary<string, ResourceUsage>.Empty);

    /// <summary>Works until cancelled. Containers go on without us, and are adopted by whoever comes next.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A process before us may have been killed, and none of the hosts be reached by ssh any more.
        SshFolder.SweepOnce(_services.Time);
        await _services.Informers.WaitForSyncAsync(cancellationToken);
        foreach (var host in _services.Informers.Hosts.Items.Keys)
        {
            _hosts.Add(host);
        }

        foreach (var (key, replica) in _services.Informers.Replicas.Items)
        {
            if (replica.Spec.HostName is not null)
            {
                _stranded.Add(key);
            }
        }

        var hosts = new ReconcileLoop<ObjectKey>(_hosts, ReconcileHostAsync, workers: 1, _logger, _services.Time);
        var stranded = new ReconcileLoop<ObjectKey>(_stranded, ReconcileStrandedAsync, workers: 1, _logger, _services.Time);
        await Task.WhenAll(hosts.RunAsync(cancellationToken), stranded.RunAsync(cancellationToken));
        foreach (var name in _agents.Keys)
        {
            await StopAsync(name);
        }
    }

    public void Dispose()
    {
        _hosts.Dispose();
        _stranded.Dispose();
        _services.Scheduler.Dispose();
        _services.Http.Dispose();
        _services.Referenced.Dispose();
    }

    private void Route(InformerEvent<Replica> change)
    {
        if (change.Object.Spec.HostName is not { } host)
        {
            return;
        }

        if (_agents.TryGetValue(host, out var agent))
        {
            agent.Agent.Enqueue(change.Key);
        }
        else
        {
            _stranded.Add(change.Key);
        }
    }

    private async Task<ReconcileResult> ReconcileHostAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var host = _services.Informers.Hosts.Get(key);
        if (host is null)
        {
            await StopAsync(key.Name);
            foreach (var replica in _services.Informers.Replicas.ByIndex(ReplicaIndexes.ByHost, key.Name))
            {
                _stranded.Add(ObjectKey.Of(replica));
            }
        }
        else if (_agents.TryGetValue(key.Name, out var running))
        {
            running.Agent.Update(host);
        }
        else
        {
            // Known first, running second: a Replica that changes in between is either routed to it or enqueued by its start.
            running = new RunningAgent(new Hosts.HostAgent(host, _services), CancellationTokenSource.CreateLinkedTokenSource(cancellationToken));
            _agents[key.Name] = running;
            running.Start();
        }

        return ReconcileResult.Done;
    }

    /// <summary>A Replica bound to a host that is no more: there is no container to wait for that anybody could ever reach.</summary>
    private async Task<ReconcileResult> ReconcileStrandedAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_services.Informers.Replicas.Get(key) is not { Metadata.DeletionTimestamp: not null, Spec.HostName: { } hostName } replica
            || replica.Metadata.Finalizers?.Contains(Finalizers.Container) != true
            || _agents.ContainsKey(hostName))
        {
            return ReconcileResult.Done;
        }

        // The cache may not have the host yet: the API decides.
        if (await _services.Informers.HostClient.GetAsync(new ObjectKey(null, hostName), cancellationToken) is not null)
        {
            return ReconcileResult.After(TimeSpan.FromSeconds(1));
        }

        Log.Stranded(_logger, key.ToString(), hostName);
        try
        {
            await ReplicaFinalizer.RemoveAsync(_services.Informers, replica, cancellationToken);
        }
        catch (NotFoundException)
        {
            // Gone already.
        }

        return ReconcileResult.Done;
    }

    private async Task StopAsync(string host)
    {
        if (!_agents.TryRemove(host, out var running))
        {
            return;
        }

        await running.Stop.CancelAsync();
        try
        {
            await running.Work;
        }
        catch (OperationCanceledException)
        {
            // As told.
        }
        catch (Exception failure)
        {
            Log.AgentFailed(_logger, failure, host);
        }

        running.Agent.Dispose();
        running.Stop.Dispose();
    }

    private sealed class RunningAgent(Hosts.HostAgent agent, CancellationTokenSource stop)
    {
        public Hosts.HostAgent Agent => agent;

        public CancellationTokenSource Stop => stop;

        public Task Work { get; private set; } = Task.CompletedTask;

        public void Start() => Work = Task.Run(() => agent.RunAsync(stop.Token), CancellationToken.None);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Replica {Key} is let go: its host {Host} is no more")]
        public static partial void Stranded(ILogger logger, string key, string host);

        [LoggerMessage(Level = LogLevel.Error, Message = "The agent of host {Host} ended with an error")]
        public static partial void AgentFailed(ILogger logger, Exception failure, string host);
    }
}
