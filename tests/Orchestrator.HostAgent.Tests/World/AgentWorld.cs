using System.Text;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>An API server, hosts of the lab as DockerHosts, and an agent that can be stopped and started. The tests play all other parts.</summary>
public class AgentWorld : IAsyncLifetime
{
    /// <summary>Every test has names, ports and Replicas of its own.</summary>
    private const string Namespace = "default";
    private static int _nextPort = 22000 + (Environment.ProcessId % 400 * 10);

    private readonly TemporaryFolder _folder = new();
    private readonly RecordedEvents _events = new();
    private readonly List<string> _log = [];
    private IAsyncDisposable? _server;
    private (HostAgents Agents, Task Work, CancellationTokenSource Stop)? _agent;
    private int _names;

    internal Lab Lab { get; private set; } = null!;

    internal Kubernetes Kubernetes { get; private set; } = null!;

    internal string InstanceId { get; private set; } = "";

    internal ResourceClient<Replica> Replicas { get; private set; } = null!;

    internal ResourceClient<DockerHost> Hosts { get; private set; } = null!;

    internal ResourceClient<V1Lease> Leases { get; private set; } = null!;

    internal RecordedEvents Events => _events;

    public async ValueTask InitializeAsync()
    {
        Lab = LoadLab();
        (_server, var kubeconfig) = await TestApiServer.StartAsync(_folder["api"]);
        Kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        Replicas = new(Kubernetes, "test");
        Hosts = new(Kubernetes, "test");
        Leases = new(Kubernetes, "test");
        InstanceId = await Runtime.InstanceId.EnsureAsync(Kubernetes, default);
        await Kubernetes.CoreV1.CreateNamespacedSecretAsync(TlsSecret("lab-tls", Lab.Tls), ApiGroup.SystemNamespace);
        foreach (var host in Lab.Hosts)
        {
            await AddHostAsync(host.Name, host.Endpoint, "lab-tls");
        }

        StartAgent();
        foreach (var host in Lab.Hosts)
        {
            await SeeHostAsync(host.Name, seen => Conditions.IsTrue(seen.Status?.Conditions, ConditionTypes.Ready));
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await StopAgentAsync();
        foreach (var host in Lab?.Hosts ?? [])
        {
            await RemoveContainersAsync(host, $"label={Labels.Instance}={InstanceId}");
        }

        Kubernetes?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>Its hosts are all that this world knows.</summary>
    private protected virtual Lab LoadLab() => Lab.Load();

    internal void StartAgent()
    {
        var loggers = LoggerFactory.Create(builder => builder.AddProvider(new ListLogger(_log)));
        var informers = new SharedInformers(Kubernetes, "orchestrator", loggers, TimeProvider.System);
        var agents = new HostAgents(informers, Kubernetes, _events, InstanceId, loggers, TimeProvider.System);
        var stop = new CancellationTokenSource();
        _agent = (agents, Task.WhenAll(informers.RunAsync(stop.Token), agents.RunAsync(stop.Token)), stop);
    }

    internal async Task StopAgentAsync()
    {
        if (_agent is not var (agents, work, stop))
        {
            return;
        }

        _agent = null;
        await stop.CancelAsync();
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        agents.Dispose();
        stop.Dispose();
    }

    internal Task<DockerHost> AddHostAsync(string name, string endpoint, string? tlsSecretName, string? publishAddress = null) => Hosts.CreateAsync(
        new DockerHost
        {
            Metadata = new V1ObjectMeta { Name = name },
            Spec = new DockerHostSpec { Endpoint = endpoint, TlsSecretName = tlsSecretName, PublishAddress = publishAddress },
        },
        default);

    /// <summary>Makes a Replica and binds it, as controller and scheduler do.</summary>
    internal Task<Replica> AddReplicaAsync(string host, Action<ReplicaTemplate>? change = null, int? port = null)
    {
        var template = TemplateOf(change);
        var name = $"web-{Interlocked.Increment(ref _names)}-{Guid.NewGuid().ToString("N")[..5]}";
        return Replicas.CreateAsync(
            new Replica
            {
                Metadata = new V1ObjectMeta
                {
                    Name = name,
                    NamespaceProperty = Namespace,
                    Labels = new Dictionary<string, string> { [Labels.App] = "web", [Labels.Host] = host },
                    Finalizers = [Finalizers.Container],
                },
                Spec = new ReplicaSpec
                {
                    AppName = "web",
                    Revision = RevisionHash.Of(template),
                    Template = template,
                    HostName = host,
                    HostPort = port ?? NextPort(),
                },
            },
            default);
    }

    private ReplicaTemplate TemplateOf(Action<ReplicaTemplate>? change)
    {
        var template = new ReplicaTemplate
        {
            Image = Lab.WebImage,
            ImagePullPolicy = PullPolicies.IfNotPresent,
            Port = 8080,
            TerminationGracePeriodSeconds = 5,
            DrainTimeoutSeconds = 30,
        };
        change?.Invoke(template);
        return template;
    }

    /// <summary>Keeps what the references of a Replica's revision come to, as the controller does.</summary>
    internal Task KeepContentAsync(Action<ReplicaTemplate> change, RevisionContent content) => Kubernetes.CoreV1.CreateNamespacedSecretAsync(
        new V1Secret
        {
            Metadata = new V1ObjectMeta { Name = RevisionContent.NameOf("web", RevisionHash.Of(TemplateOf(change))) },
            Type = RevisionContent.SecretType,
            Immutable = true,
            Data = content.Encode(),
        },
        Namespace);

    internal async Task<Replica> AddReadyReplicaAsync(string host, Action<ReplicaTemplate>? change = null) =>
        await SeeAsync(await AddReplicaAsync(host, change), seen => seen.Status is { Ready: true });

    internal static int NextPort() => Interlocked.Increment(ref _nextPort);

    internal static string ContainerOf(Replica replica) => $"orc-{replica.Metadata.NamespaceProperty}-{replica.Metadata.Name}";

    internal LabHost HostOf(Replica replica) => Lab.Hosts.Single(host => host.Name == replica.Spec.HostName);

    internal Task<Replica> SeeAsync(Replica replica, Func<Replica, bool> holds, TimeSpan? within = null) => WithLog(() => Eventually.See(
        async () => new Shown<Replica>(
            await Replicas.GetAsync(ObjectKey.Of(replica), default) ?? throw new InvalidOperationException("the Replica is gone")),
        seen => holds(seen.Value),
        within));

    internal Task<DockerHost> SeeHostAsync(string name, Func<DockerHost, bool> holds, TimeSpan? within = null) => WithLog(() => Eventually.See(
        async () => new Shown<DockerHost>(
            await Hosts.GetAsync(new ObjectKey(null, name), default) ?? throw new InvalidOperationException("the DockerHost is gone")),
        seen => holds(seen.Value),
        within));

    /// <summary>Asks for deletion and does not wait.</summary>
    internal Task DeleteAsync(Replica replica) => Replicas.DeleteAsync(ObjectKey.Of(replica), replica.Metadata.Uid, default);

    internal Task SeeGoneAsync(Replica replica, TimeSpan? within = null) => Eventually.See(
        async () => new Shown<Replica?>(await Replicas.GetAsync(ObjectKey.Of(replica), default)), seen => seen.Value is null, within);

    /// <summary>Deletes, and waits until Replica and container are gone.</summary>
    internal async Task RemoveAsync(Replica replica)
    {
        await DeleteAsync(replica);
        await SeeGoneAsync(replica);
        Assert.Equal("", await Lab.DockerAsync(HostOf(replica), "ps", "--all", "--quiet", "--filter", $"label={Labels.ReplicaUid}={replica.Metadata.Uid}"));
    }

    /// <param name="format">A Go template of <c>docker inspect</c>.</param>
    internal Task<string> InspectAsync(Replica replica, string format) =>
        Lab.DockerAsync(HostOf(replica), "inspect", "--format", format, ContainerOf(replica));

    internal async Task RemoveContainersAsync(LabHost host, string filter)
    {
        var ids = (await Lab.DockerAsync(host, "ps", "--all", "--quiet", "--filter", filter)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (ids.Length > 0)
        {
            await Lab.DockerAsync(host, ["rm", "--force", .. ids]);
        }
    }

    internal static V1Secret TlsSecret(string name, LabTls tls) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ApiGroup.SystemNamespace },
        Data = new Dictionary<string, byte[]>
        {
            ["ca.crt"] = File.ReadAllBytes(tls.Ca),
            ["tls.crt"] = File.ReadAllBytes(tls.Certificate),
            ["tls.key"] = File.ReadAllBytes(tls.Key),
        },
    };

    /// <summary>A proxy's Lease as it would be if it was renewed so long ago.</summary>
    internal async Task WriteLeaseAsync(string name, TimeSpan renewedAgo, string drained)
    {
        var lease = new V1Lease
        {
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = ApiGroup.SystemNamespace,
                Labels = new Dictionary<string, string> { [Labels.Component] = Labels.ProxyComponent },
                Annotations = new Dictionary<string, string> { [Annotations.Drained] = drained },
            },
            Spec = new V1LeaseSpec { HolderIdentity = name, LeaseDurationSeconds = 600, RenewTime = TimeProvider.System.GetUtcNow().UtcDateTime - renewedAgo },
        };
        try
        {
            await Leases.CreateAsync(lease, default);
        }
        catch (AlreadyExistsException)
        {
            await Leases.MergePatchAsync(ObjectKey.Of(lease), lease, default);
        }
    }

    private async Task<T> WithLog<T>(Func<Task<Shown<T>>> look)
    {
        try
        {
            return (await look()).Value;
        }
        catch (TimeoutException failure)
        {
            lock (_log)
            {
                throw new TimeoutException($"{failure.Message}\nThe agent's last words:\n{string.Join('\n', _log.TakeLast(20))}", failure);
            }
        }
    }

    /// <summary>Shows what was seen last when a wait fails.</summary>
    private sealed record Shown<T>(T Value)
    {
        public override string ToString() => KubernetesJson.Serialize(Value);
    }

    private sealed class ListLogger(List<string> log) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (log)
            {
                log.Add(new StringBuilder().Append(logLevel).Append(": ").Append(formatter(state, exception)).Append(' ').Append(exception).ToString());
            }
        }

        public void Dispose()
        {
        }
    }
}
