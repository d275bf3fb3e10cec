using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Draining;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.HostAgent.Tests.Containers;

public sealed class ReplicaReconcilerTests
{
    private static readonly TimeProvider Time = TimeProvider.System;
    private static readonly DateTime StartedAt = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    /// <summary>
    /// Regression: the reconcile waited for the engine's answer, three tries of 10 s, before it wrote what the probes had found meanwhile.
    /// </summary>
    [Fact]
    public async Task An_engine_that_does_not_answer_a_look_does_not_hold_up_what_the_probes_find()
    {
        using var folder = new TemporaryFolder();
        var (server, kubeconfig) = await TestApiServer.StartAsync(folder["api"]);
        await using var running = server;
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        var client = new ResourceClient<Replica>(kubernetes, "test");
        var replica = await AddRunningAsync(client);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var engine = new SimulatedEngine { OnInspect = token => Task.Delay(Timeout.InfiniteTimeSpan, Time, token) };
        using var scheduler = new ProbeScheduler(Time);
        using var http = new HttpProber(scheduler);
        using var queue = new WorkQueue<ObjectKey>("replicas-of-a-mute-engine", Time);
        var informers = new SharedInformers(kubernetes, "test", NullLoggerFactory.Instance, Time);
        var clock = new SteadyClock(Time);
        var prober = new Prober(scheduler, new Turns(8), http, () => engine, NullLogger.Instance, Time);
        using var replicas = new ReplicaReconciler(
            informers,
            new MuteHost(new EngineSession(engine, stop.Token)),
            operations: null!,
            new ProbeKeeper(prober, queue.Add, new RecordedEvents()),
            new ProxyAcknowledgements(informers.ProxyLeases, clock, Time),
            queue,
            new RecordedEvents(),
            NullLogger.Instance,
            clock,
            Time);
        var loop = new ReconcileLoop<ObjectKey>(queue, replicas.ReconcileAsync, workers: 1, NullLogger.Instance, Time);
        var work = Task.WhenAll(informers.RunAsync(stop.Token), loop.RunAsync(stop.Token));
        await informers.WaitForSyncAsync(stop.Token);
        queue.Add(ObjectKey.Of(replica));

        var unready = await Eventually.See(
            async () => (await client.GetAsync(ObjectKey.Of(replica), default))!,
            seen => seen.Status is { Ready: false, Probes.Readiness.Result: ProbeResults.Failing });
        Assert.Equal(ReplicaPhases.Running, unready.Status!.Phase);

        await stop.CancelAsync();
        await work;
    }

    /// <summary>Regression: the end of the session in which it was asked was taken for an error of our own.</summary>
    [Fact]
    public async Task A_look_that_its_session_took_along_is_made_again_in_the_next_one()
    {
        using var nowhere = new Kubernetes(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" });
        var time = new SettableTime();
        var informers = new SharedInformers(nowhere, "test", NullLoggerFactory.Instance, time);
        var replica = new Replica
        {
            Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = "uid", ResourceVersion = "1" },
            Spec = new ReplicaSpec { AppName = "web", HostName = MuteHost.Name, HostPort = 20000, Template = new ReplicaTemplate { Image = "web:v1" } },
        };
        informers.Replicas.Seed(replica);
        using var engine = new SimulatedEngine { OnInspect = token => Task.Delay(Timeout.InfiniteTimeSpan, time, token) };
        using var first = new CancellationTokenSource();
        var host = new MuteHost(new EngineSession(engine, first.Token));
        using var queue = new WorkQueue<ObjectKey>("replicas-of-a-lost-session", time);
        var clock = new SteadyClock(time);
        using var replicas = new ReplicaReconciler(
            informers, host, operations: null!, new ProbeKeeper(prober: null!, queue.Add, new RecordedEvents()),
            new ProxyAcknowledgements(informers.ProxyLeases, clock, time), queue, new RecordedEvents(), NullLogger.Instance, clock, time);
        replicas.TakeListing(new Dictionary<string, ListedContainer> { ["uid"] = new(SimulatedEngine.Id, "", new Dictionary<string, string>(), ContainerState.Running) }, all: true);

        var asked = replicas.ReconcileAsync(ObjectKey.Of(replica), TestContext.Current.CancellationToken);
        await Eventually.See(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(asked.IsCompleted);
            },
            done => done);
        await asked;
        await first.CancelAsync();
        host.Session = new EngineSession(engine, TestContext.Current.CancellationToken);

        Assert.NotNull((await replicas.ReconcileAsync(ObjectKey.Of(replica), TestContext.Current.CancellationToken)).LookAgainAfter);
        Assert.Equal(["inspect"], engine.Calls);
    }

    /// <summary>As an earlier agent left it: running and ready; but nothing listens any more.</summary>
    private static async Task<Replica> AddRunningAsync(ResourceClient<Replica> client)
    {
        var template = new ReplicaTemplate { Image = "web:v1", Port = 8080, ReadinessProbe = new V1Probe { TcpSocket = new V1TCPSocketAction(), PeriodSeconds = 1, FailureThreshold = 1 } };
        var replica = await client.CreateAsync(
            new Replica
            {
                Metadata = new V1ObjectMeta { Name = "web-mute", NamespaceProperty = "default", Finalizers = [Finalizers.Container] },
                Spec = new ReplicaSpec { AppName = "web", Revision = RevisionHash.Of(template), Template = template, HostName = MuteHost.Name, HostPort = FreePort.Next() },
            },
            default);
        return await client.MergePatchStatusAsync(
            ObjectKey.Of(replica),
            new
            {
                status = new ReplicaStatus
                {
                    Phase = ReplicaPhases.Running, Ready = true, ContainerId = SimulatedEngine.Id, StartedAt = StartedAt, Address = "127.0.0.1", Port = replica.Spec.HostPort,
                },
            },
            default);
    }

    private sealed class MuteHost(EngineSession session) : IHostView
    {
        public const string Name = "mute";

        public DockerHost Host { get; } = new()
        {
            Metadata = new V1ObjectMeta { Name = Name },
            Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:2376" },
        };

        public EngineSession? Session { get; set; } = session;

        public string? Problem => null;

        public bool IsSilent => false;

        public void RequestLook()
        {
            // There is none to ask.
        }
    }
}
