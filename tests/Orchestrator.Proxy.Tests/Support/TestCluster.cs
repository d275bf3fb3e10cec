using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ApiServer;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A real API server with nobody at work on it but the proxies under test: the test itself is controller and host agent.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private EmbeddedApiServer? _server;
    private Kubernetes _admin = null!;

    public string Namespace { get; } = "default";

    public ResourceClient<WebApp> Apps { get; private set; } = null!;

    public ResourceClient<Replica> Replicas { get; private set; } = null!;

    public ResourceClient<V1Lease> Leases { get; private set; } = null!;

    public string StateFolder => _folder["proxy"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<TestCluster> StartAsync()
    {
        var cluster = new TestCluster();
        await cluster.StartApiAsync();
        return cluster;
    }

    public async Task StartApiAsync()
    {
        _server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = _folder["api"], Port = _port }, NullLoggerFactory.Instance, TimeProvider.System, Cancellation);
        _admin = Client("admin");
        (Apps, Replicas, Leases) = (new(_admin, "test"), new(_admin, "test"), new(_admin, "test"));
    }

    public async Task StopApiAsync()
    {
        if (_server is { } server)
        {
            _server = null;
            _admin.Dispose();
            await server.DisposeAsync();
        }
    }

    /// <summary>A proxy with the access rights of a proxy.</summary>
    public async Task<ProxyServer> StartProxyAsync(Func<ProxyOptions, ProxyOptions>? with = null)
    {
        var options = new ProxyOptions
        {
            StateFolder = StateFolder,
            Address = System.Net.IPAddress.Loopback,
            Port = 0,
            Admin = new(System.Net.IPAddress.Loopback, 0),
            Name = "test",
        };
        return await ProxyServer.StartAsync(
            with is null ? options : with(options), Client("proxy"), NullLoggerFactory.Instance, TimeProvider.System, Cancellation);
    }

    public Task<WebApp> CreateAppAsync(string name, Route? route = null) => Apps.CreateAsync(
        new WebApp
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace },
            Spec = { Image = "web", Replicas = 1, Route = route ?? new Route { Hosts = [$"{name}.example.org"] } },
        },
        Cancellation);

    public Task<WebApp> CreateCanaryAppAsync(string name) => Apps.CreateAsync(
        new WebApp
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = Namespace },
            Spec =
            {
                Image = "web",
                Replicas = 1,
                Route = new Route { Hosts = [$"{name}.example.org"] },
                Strategy = new RolloutStrategy
                {
                    Type = RolloutStrategy.Canary,
                    CanarySteps = new CanaryStrategy { Steps = [new CanaryStep { Weight = 10 }] },
                },
            },
        },
        Cancellation);

    /// <summary>A replica that is bound, runs and is ready.</summary>
    public Task<Replica> CreateReplicaAsync(string app, ReplicaServer server, string revision = "r1") =>
        CreateReplicaAsync(app, server.Name, server.Port, revision);

    /// <inheritdoc cref="CreateReplicaAsync(string, ReplicaServer, string)"/>
    public async Task<Replica> CreateReplicaAsync(string app, string name, int port, string revision = "r1")
    {
        var created = await Replicas.CreateAsync(
            new Replica
            {
                Metadata = new V1ObjectMeta
                {
                    Name = $"{app}-{name}",
                    NamespaceProperty = Namespace,
                    Finalizers = [Finalizers.Container],
                },
                Spec = { AppName = app, Revision = revision, Template = { Image = "web" }, HostName = "host-1", HostPort = port },
            },
            Cancellation);
        return await SetReadyAsync(created, port, ready: true);
    }

    /// <summary>As the controller leaves it when a step of a canary from r1 to r2 begins.</summary>
    public Task<WebApp> SetCanaryAsync(string app, int weight, DateTime since) => SetStatusAsync(app, new
    {
        currentRevision = "r1",
        updateRevision = "r2",
        rollout = new { revision = "r2", canary = new { revision = "r2", step = 0, weight, weightSince = since } },
    });

    /// <summary>As the controller leaves it after the last step (current is r2), or after it has taken r2 back.</summary>
    public Task<WebApp> EndCanaryAsync(string app, string current) => SetStatusAsync(app, new Dictionary<string, object?>
    {
        ["currentRevision"] = current,
        ["rollout"] = null,
        ["failedRollout"] = current == "r2" ? null : new { revision = "r2" },
    });

    public Task<WebApp> SetStatusAsync(string app, object status) =>
        Apps.MergePatchStatusAsync(new ObjectKey(Namespace, app), new { status }, Cancellation);

    public Task<Replica> SetReadyAsync(Replica replica, ReplicaServer server, bool ready) => SetReadyAsync(replica, server.Port, ready);

    private Task<Replica> SetReadyAsync(Replica replica, int port, bool ready) => Replicas.MergePatchStatusAsync(
        ObjectKey.Of(replica),
        new { status = new { phase = ReplicaPhases.Running, ready, address = "127.0.0.1", port } },
        Cancellation);

    public Task<Replica> SetUnreadyAsync(Replica replica, string reason) => Replicas.MergePatchStatusAsync(
        ObjectKey.Of(replica),
        new
        {
            status = new
            {
                ready = false,
                conditions = new[] { Conditions.Next(null, ConditionTypes.Ready, holds: false, reason, null, 1, TimeProvider.System.GetUtcNow()) },
            },
        },
        Cancellation);

    /// <summary>The container is gone: so goes the Replica.</summary>
    public Task<Replica> ReleaseAsync(Replica replica) => Replicas.MergePatchAsync(
        ObjectKey.Of(replica), new { metadata = new { finalizers = Array.Empty<string>() } }, Cancellation);

    /// <summary>The one there is.</summary>
    public async Task<V1Lease> LeaseAsync() => Assert.Single(await AllLeasesAsync());

    public async Task<IList<V1Lease>> AllLeasesAsync() =>
        (await Leases.ListAsync(ApiGroup.SystemNamespace, $"{Labels.Component}={Labels.ProxyComponent}", Cancellation)).Items;

    public async ValueTask DisposeAsync()
    {
        await StopApiAsync();
        _folder.Dispose();
    }

    /// <param name="handlers">What its requests go through.</param>
    public Kubernetes Client(string user, params DelegatingHandler[] handlers)
    {
        var path = Directory.GetFiles(_folder["api"], $"{user}.kubeconfig", SearchOption.AllDirectories).Single();
        return new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(path), handlers);
    }
}
