using k8s;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Draining;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hooks;
using Orchestrator.HostAgent.Images;
using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Status;
using Orchestrator.HostAgent.Usage;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;
using Orchestrator.Runtime.Usage;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>What all hosts' agents of a process share.</summary>
internal sealed record AgentServices(
    SharedInformers Informers,
    IKubernetes Kubernetes,
    IEventRecorder Events,
    string InstanceId,
    ProxyAcknowledgements Acknowledgements,
    ReferencedImages Referenced,
    ProbeScheduler Scheduler,
    Turns Looks,
    HttpProber Http,
    LateEngines LateEngines,
    ILoggerFactory Loggers,
    SteadyClock Clock,
    TimeProvider Time);

/// <summary>Makes the containers of one host what the Replicas bound to it say.</summary>
internal sealed class HostAgent : IHostView, IEngineLinkOwner, IDisposable
{
    /// <summary>Reconciles are short (what takes long runs beside them): more workers would only wait for the API server.</summary>
    private const int Workers = 4;

    /// <summary>Levels, not edges: whatever was missed, by us too, is made good by then. A look in between asks for what it found changed.</summary>
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(5);

    private readonly AgentServices _services;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ReconcileLoop<ObjectKey> _loop;
    private readonly ContainerWork _work;
    private readonly ReplicaReconciler _replicas;
    private readonly EngineLink _link;
    private readonly HostPulse _pulse;
    private readonly EngineLook _look;
    private readonly ImageCollector _images;
    private readonly HostStatusWriter _status;
    private readonly AgentUsage _usage;
    private volatile DockerHost _host;
    private long _syncedAt;

    public HostAgent(DockerHost host, AgentServices services)
    {
        _services = services;
        _host = host;
        var name = host.Metadata.Name;
        var logger = services.Loggers.CreateLogger<HostAgent>();

        // One name for all hosts: histograms of a host's own are 20 kB of each scrape.
        _queue = new WorkQueue<ObjectKey>("replica", services.Time, NewRandom(name));
        var pulled = new PulledImages(host.Status?.PulledImages);
        var puller = new ImagePuller(new PullSecrets(services.Kubernetes), pulled, logger, services.Time);
        _pulse = new HostPulse(Answering, AskAsync, Changed, services.LateEngines, services.Clock, services.Time);
        _status = new HostStatusWriter(
            name, services.Informers, () => _link!.Session, () => _link!.Problem, () => _link!.RenewalProblem, _pulse, pulled, services.Events, logger, services.Clock, services.Time);
        var hooks = new LifecycleHooks(services.Http, services.Events, services.Time);
        var contents = new ContentReader(services.Kubernetes);
        _work = new ContainerWork(services.InstanceId, puller, contents, hooks, _status.MarkImages, services.Events, logger);
        var prober = new Prober(services.Scheduler, services.Looks, services.Http, () => Session?.Engine, logger, services.Time);
        var operations = new OperationLauncher(_work, _queue.Add, services.Events, logger);
        _replicas = new ReplicaReconciler(
            services.Informers,
            this,
            operations,
            new ProbeKeeper(prober, _queue.Add, services.Events),
            services.Acknowledgements,
            _queue,
            services.Events,
            logger,
            services.Clock,
            services.Time);
        _images = new ImageCollector(
            () => _host, pulled, puller, services.Referenced, services.Events, _status.MarkImages, NewRandom(name), logger, services.Time);
        _look = new EngineLook(() => _host, services.InstanceId, services.Informers, _replicas, _work, services.Events, logger);
        _link = new EngineLink(
            this,
            new EngineConnector(services.Kubernetes, services.Time),
            new EnginePipeline(name, services.Time),
            _pulse,
            services.InstanceId,
            NewRandom(name),
            logger,
            services.Time);
        _usage = new AgentUsage(() => Session?.Engine, services.Time);
        _loop = new ReconcileLoop<ObjectKey>(_queue, _replicas.ReconcileAsync, Workers, logger, services.Time);
    }

    public DockerHost Host => _host;

    public EngineSession? Session => _link.Session;

    public string? Problem => Session is null ? _link.Problem?.Message : null;

    public bool IsSilent => _pulse.Life == HostLife.Silent;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        EnqueueAll();
        await Task.WhenAll(
            _loop.RunAsync(cancellationToken),
            _link.RunAsync(cancellationToken),
            _pulse.RunAsync(cancellationToken),
            _status.RunAsync(cancellationToken),
            _images.RunAsync(() => Session, cancellationToken));
        await _replicas.QuiesceAsync();
    }

    /// <summary>The DockerHost has changed.</summary>
    public void Update(DockerHost host)
    {
        var (before, zone) = (_host.Spec, _host.Zone);
        _host = host;
        if (before.Endpoint != host.Spec.Endpoint || EngineCredentials.SecretNameOf(before) != EngineCredentials.SecretNameOf(host.Spec))
        {
            _link.Reconnect();
        }

        if (before.EffectiveAddress != host.Spec.EffectiveAddress || before.EffectivePublishAddress != host.Spec.EffectivePublishAddress
            || zone != host.Zone)
        {
            EnqueueAll();
        }

        _status.Mark();
    }

    /// <summary>A Secret of the namespace of such Secrets has changed.</summary>
    public void UpdateSecret(string name)
    {
        if (EngineCredentials.SecretNameOf(_host.Spec) == name)
        {
            _link.RequestRenewal();
        }
    }

    /// <summary>A Replica bound to the host has changed.</summary>
    public void Enqueue(ObjectKey key)
    {
        _queue.Add(key);
    }

    /// <summary>What containers use, those that are known.</summary>
    public Task<IReadOnlyDictionary<string, ResourceUsage>> ReadUsageAsync(IReadOnlyCollection<string> containers, CancellationToken cancellationToken) =>
        _usage.ReadAsync(containers, cancellationToken);

    /// <summary>A proxy has come, gone, or let go of something.</summary>
    public void EnqueueDeleting()
    {
        foreach (var replica in Bound().Where(replica => replica.Metadata.DeletionTimestamp is not null))
        {
            _queue.Add(ObjectKey.Of(replica));
        }
    }

    public void RequestLook() => _link.RequestLook();

    public Task BeginAsync(EngineSession session, CancellationToken cancellationToken) => LookAsync(session, all: true, cancellationToken);

    public void Changed()
    {
        EnqueueAll();
        _status.Mark();
    }

    public async Task LookAsync(EngineSession session, bool all, CancellationToken cancellationToken)
    {
        await _look.LookAsync(session, all, cancellationToken);
        if (all || _services.Time.GetElapsedTime(_syncedAt) >= Resync)
        {
            _syncedAt = _services.Time.GetTimestamp();
            EnqueueAll();
        }
    }

    public void Take(EngineEvent happened)
    {
        var labels = happened.Attributes;
        if (labels.TryGetValue(Labels.Namespace, out var @namespace)
            && labels.TryGetValue(Labels.Replica, out var name)
            && labels.TryGetValue(Labels.ReplicaUid, out var uid))
        {
            _replicas.TakeEvent(new ObjectKey(@namespace, name), uid, happened);
        }
    }

    public void Dispose()
    {
        _replicas.Dispose();
        _work.Dispose();
        _usage.Dispose();
        _queue.Dispose();
        EngineMetrics.Forget(_host.Metadata.Name);
        ReplicaMetrics.ForgetHost(_host.Metadata.Name);
        ImageMetrics.ForgetHost(_host.Metadata.Name);
    }

    private static Random NewRandom(string name) => new(name.GetHashCode(StringComparison.Ordinal));

    private void EnqueueAll()
    {
        foreach (var replica in Bound())
        {
            _queue.Add(ObjectKey.Of(replica));
        }
    }

    /// <summary>Where the replicas are whose containers ran when they were last seen.</summary>
    private List<(string Address, int Port)> Answering() =>
    [
        .. Bound()
            .Where(static replica => replica is { Status.Phase: ReplicaPhases.Running or ReplicaPhases.Draining, Spec.HostPort: not null })
            .Select(replica => (_host.Spec.EffectiveAddress, replica.Spec.HostPort!.Value)),
    ];

    private async Task<ProbeResult> AskAsync(string address, int port, CancellationToken cancellationToken) =>
        (await TcpProber.ProbeAsync(address, port, HostPulse.Timeout, _services.Scheduler, cancellationToken)).Result;

    private IReadOnlyCollection<Replica> Bound() => _services.Informers.Replicas.ByIndex(ReplicaIndexes.ByHost, _host.Metadata.Name);
}
