using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ApiServer;
using Orchestrator.ControlPlane.Acme;
using Orchestrator.Proxy;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>An API server of the test's own with the controllers and a <see cref="TestAgent"/> as its clients.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    public const string Namespace = "sites";

    private readonly TemporaryFolder _folder;
    private readonly EmbeddedApiServer _server;
    private readonly CancellationTokenSource _end = new();
    private Part? _controllers;
    private Part? _agent;

    private TestCluster(TemporaryFolder folder, EmbeddedApiServer server)
    {
        (_folder, _server) = (folder, server);
        Kubernetes = Connect(server.AdminKubeconfig);
        Api = new SharedInformers(Kubernetes, "test", Loggers, TimeProvider.System);
        Api.Replicas.Subscribe(_ => ReplicaChanged?.Invoke());
        Api.WebApps.Subscribe(_ => WebAppChanged?.Invoke());
    }

    public Kubernetes Kubernetes { get; }

    private static TestOutputLoggers Loggers => new(TestContext.Current.TestOutputHelper!);

    /// <summary>The test's own view and clients.</summary>
    public SharedInformers Api { get; }

    /// <summary>Called at each change that the test's own informers see, one at a time.</summary>
    public Action? ReplicaChanged { get; set; }

    /// <inheritdoc cref="ReplicaChanged"/>
    public Action? WebAppChanged { get; set; }

    public TestAgent Agent { get; private set; } = null!;

    /// <summary>What the controllers are told of the containers.</summary>
    public TestUsage Usage { get; } = new();

    public static async Task<TestCluster> StartAsync(int hosts = 3, bool controllers = true)
    {
        var folder = new TemporaryFolder();
        var server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = folder["data"], Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        var cluster = new TestCluster(folder, server);
        await cluster.StartPartsAsync(hosts, controllers);
        return cluster;
    }

    public async Task<DockerHost> CreateHostAsync(string name, string memory = "8Gi")
    {
        var created = await Api.HostClient.CreateAsync(
            new DockerHost { Metadata = new() { Name = name }, Spec = new() { Endpoint = "tcp://127.0.0.1:2376" } }, _end.Token);
        await SetHostReadyAsync(name, true, memory: memory);
        return created;
    }

    public Task SetHostReadyAsync(string name, bool ready, DateTime? since = null, string memory = "8Gi") => Api.HostClient.MergePatchStatusAsync(
        new(null, name),
        new
        {
            status = new DockerHostStatus
            {
                Capacity = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("4"), ["memory"] = new(memory) },
                Conditions =
                [
                    new V1Condition
                    {
                        Type = ConditionTypes.Ready,
                        Status = ready ? Conditions.True : Conditions.False,
                        Reason = ready ? "EngineAnswers" : "EngineUnreachable",
                        Message = ready ? "the engine answers" : "the engine does not answer",
                        LastTransitionTime = since ?? DateTime.UnixEpoch,
                    },
                    new V1Condition
                    {
                        Type = ConditionTypes.Alive,
                        Status = ready ? Conditions.True : Conditions.False,
                        Reason = ready ? "EngineAnswers" : "Silent",
                        LastTransitionTime = since ?? DateTime.UnixEpoch,
                    },
                ],
            },
        },
        _end.Token);

    public Task<WebApp> ApplyAsync(string name, int replicas, Action<WebAppSpec>? and = null)
    {
        var app = new WebApp
        {
            Metadata = new() { Name = name, NamespaceProperty = Namespace },
            Spec = new() { Replicas = replicas, Image = "registry.example/web:v1" },
        };
        and?.Invoke(app.Spec);
        return Api.WebAppClient.CreateAsync(app, _end.Token);
    }

    public Task<WebApp> PatchAsync(string name, object spec) => Api.WebAppClient.MergePatchAsync(new(Namespace, name), new { spec }, _end.Token);

    public async Task<WebApp> AppAsync(string name) =>
        await Api.WebAppClient.GetAsync(new(Namespace, name), _end.Token) ?? throw new InvalidOperationException($"no app {name}");

    public Task<WebApp> WaitForAppAsync(string name, Func<WebApp, bool> holds) => Eventually.See(() => AppAsync(name), holds);

    /// <summary>Until the rollout is complete with so many ready replicas.</summary>
    public Task<WebApp> WaitForReadyAsync(string name, int replicas) => WaitForAppAsync(
        name,
        app => app.Status is { } status && status.ObservedGeneration == app.Metadata.Generation && status.ReadyReplicas == replicas
            && status.Replicas == replicas && status.CurrentRevision == status.UpdateRevision);

    public async Task<List<Replica>> ReplicasAsync(string app) =>
        [.. (await Api.ReplicaClient.ListAsync(Namespace, $"{Labels.App}={app}", _end.Token)).Items];

    /// <summary>Names of the kept revisions, oldest first.</summary>
    public async Task<List<string>> HistoryAsync(string app) =>
        [.. (await new ResourceClient<V1ControllerRevision>(Kubernetes, "test").ListAsync(Namespace, $"{Labels.App}={app}", _end.Token)).Items
            .OrderBy(entry => entry.Revision).Select(entry => entry.Metadata.Name)];

    public Task WaitForNoAppAsync(string name) =>
        Eventually.True(async () => await Api.WebAppClient.GetAsync(new(Namespace, name), _end.Token) is null);

    public async Task<List<string>> EventsAsync(string about) =>
        [.. (await Kubernetes.CoreV1.ListNamespacedEventAsync(Namespace)).Items
            .Where(entry => entry.InvolvedObject.Name == about).Select(entry => $"{entry.Type} {entry.Reason}: {entry.Message}")];

    /// <param name="wire">Between the controllers and the server, to make trouble.</param>
    /// <param name="clock">The controllers' clock.</param>
    /// <param name="rebalance">As <c>orc serve</c> is told.</param>
    /// <param name="acme">As <c>orc serve</c> is told.</param>
    public async Task StartControllersAsync(DelegatingHandler? wire = null, TimeProvider? clock = null, bool rebalance = true, AcmeOptions? acme = null)
    {
        var time = clock ?? TimeProvider.System;
        // As the user that orc serve runs them as, so that a right they lack is noticed here.
        var kubernetes = Connect(_server.ControllerKubeconfig, wire);
        var informers = new SharedInformers(kubernetes, Controllers.FieldManager, Loggers, time);
        var events = new EventRecorder(kubernetes, Controllers.FieldManager, Loggers, time);
        var controllers = new Controllers(informers, kubernetes, events, Usage, Loggers, time, rebalance, acme);
        _controllers = new Part(informers, controllers.RunAsync, async () =>
        {
            controllers.Dispose();
            await events.DisposeAsync();
            kubernetes.Dispose();
        });
        await informers.WaitForSyncAsync(_end.Token);
    }

    /// <summary>A proxy on loopback with the rights of one.</summary>
    public Task<ProxyServer> StartProxyAsync(ProxyOptions options) => ProxyServer.StartAsync(
        options, Connect(_server.ProxyKubeconfig), NullLoggerFactory.Instance, TimeProvider.System, _end.Token);

    public async Task StopControllersAsync()
    {
        if (_controllers is not null)
        {
            await _controllers.DisposeAsync();
            _controllers = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopControllersAsync();
        if (_agent is not null)
        {
            await _agent.DisposeAsync();
        }

        await _end.CancelAsync();
        Kubernetes.Dispose();
        _end.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>One more client of the server, as an administrator.</summary>
    public Kubernetes Connect(DelegatingHandler wire) => Connect(_server.AdminKubeconfig, wire);

    private static Kubernetes Connect(string kubeconfig, DelegatingHandler? wire = null) =>
        new(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig), wire is null ? [] : [wire]);

    private async Task StartPartsAsync(int hosts, bool controllers)
    {
        await Kubernetes.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new() { Name = Namespace } });
        for (var i = 1; i <= hosts; i++)
        {
            await CreateHostAsync($"h{i}");
        }

        Agent = new TestAgent(Api);
        _agent = new Part(Api, Agent.RunAsync, () =>
        {
            Agent.Dispose();
            return Task.CompletedTask;
        });
        await Api.WaitForSyncAsync(_end.Token);
        if (controllers)
        {
            await StartControllersAsync();
        }
    }

    /// <summary>Informers and what runs over them, stopped in order.</summary>
    private sealed class Part : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Func<Task> _dispose;
        private readonly Task _running;

        public Part(SharedInformers informers, Func<CancellationToken, Task> run, Func<Task> dispose)
        {
            _dispose = dispose;
            _running = Task.WhenAll(informers.RunAsync(_stop.Token), run(_stop.Token));
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            await _dispose();
            _stop.Dispose();
        }
    }
}
