using System.Diagnostics;
using Orchestrator.Api.WebApps;
using Orchestrator.Api;
using Orchestrator.Benchmarks.Engines;
using Orchestrator.Benchmarks.Processes;
using Orchestrator.EndToEnd.Tests.Installations;
using k8s.Models;
using k8s;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>
/// A real <c>orc serve</c> with the lab's hosts: from the API server's answer to the apply until every replica is ready and in the
/// proxy's route table.
/// </summary>
internal sealed class Ours : ISide, IAsyncDisposable
{
    private const string App = "web";
    private const string Namespace = "default";

    private const string ServeCpuName = "serve, processor ms";
    private const string ProxyCpuName = "proxy, processor ms";
    private const string ApplyName = "ours, apply answered, ms";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Workload _workload;
    private readonly Kubernetes _kubernetes;
    private readonly HttpClient _http = new();
    private readonly Uri _routes;

    private Ours(Workload workload, Installation installation)
    {
        _workload = workload;
        Installation = installation;
        Processes = OrcProcesses.Of(installation.DataFolder);
        _kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(installation.Kubeconfig));
        _routes = new Uri(installation.ProxyMetrics, "/routes");
    }

    public string Name => "ours";

    public Installation Installation { get; }

    public OrcProcesses Processes { get; }

    /// <summary>Processor time of <c>orc serve</c> over each measured time.</summary>
    public Samples ServeCpu { get; private set; } = new(ServeCpuName);

    /// <summary>The same of the proxy.</summary>
    public Samples ProxyCpu { get; private set; } = new(ProxyCpuName);

    /// <summary>From the apply's sending to its answer, in ms: not part of the measured time.</summary>
    public Samples Apply { get; private set; } = new(ApplyName);

    public static async Task<Ours> StartAsync(Workload workload) => new(workload, await Installation.StartAsync());

    public async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        // A round that fails or is cut short leaves the removing to the installation's end: a Ctrl-C has reached its server too.
        var took = await ConvergeAsync(null, cancellationToken);
        await RemoveAsync(cancellationToken);
        return took;
    }

    /// <param name="timeline">Told how many are routed; what it costs the server is then not counted with the others.</param>
    public async Task<TimeSpan> ConvergeAsync(Timeline? timeline, CancellationToken cancellationToken)
    {
        // The object that `apply` would send. Straight to the API: a kubectl that ends would run beside the first creates.
        var app = new WebApp
        {
            Metadata = new V1ObjectMeta { Name = App, NamespaceProperty = Namespace },
            Spec = new WebAppSpec
            {
                Image = _workload.Image,
                Replicas = _workload.Replicas,
                TerminationGracePeriodSeconds = 1,
                ReadinessProbe = new V1Probe { HttpGet = new V1HTTPGetAction { Path = "/healthz" } },
                Route = new Route { Hosts = ["web.example.org"] },
            },
        };
        var sent = Stopwatch.GetTimestamp();
        await _kubernetes.CustomObjects.CreateNamespacedCustomObjectAsync<WebApp>(
            app, ApiGroup.Name, ApiGroup.Version, Namespace, WebApp.Plural, cancellationToken: cancellationToken);
        var watch = Stopwatch.StartNew();
        var answered = Stopwatch.GetElapsedTime(sent);
        timeline?.Begin();
        var (serve, proxy) = (ProcessUse.Cpu(Processes.Serve), ProcessUse.Cpu(Processes.Proxy));
        int routed;
        while ((routed = Count(await _http.GetStringAsync(_routes, cancellationToken))) < _workload.Replicas)
        {
            timeline?.Routed(routed);
            if (watch.Elapsed > Workload.Limit)
            {
                throw new TimeoutException($"{routed} of {_workload.Replicas} replicas were routed within {Workload.Limit.TotalSeconds} s; orc serve said:\n{Installation.Log}");
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }

        var took = watch.Elapsed;
        if (timeline is not null)
        {
            timeline.Routed(routed);
            return took;
        }

        ServeCpu.Add(ProcessUse.Cpu(Processes.Serve) - serve);
        ProxyCpu.Add(ProcessUse.Cpu(Processes.Proxy) - proxy);
        Apply.Add(answered);
        return took;

        static int Count(string table) => table.Split("\"replica\":").Length - 1;
    }

    /// <summary>What the engines were asked for in the round that is up.</summary>
    public async Task<IReadOnlyList<CreateRequest>> ReadBackAsync()
    {
        var made = new List<CreateRequest>();
        foreach (var engine in _workload.Engines)
        {
            made.AddRange(await Task.WhenAll((await engine.ContainersAsync($"{Labels.App}={App}")).Select(engine.ReadBackAsync)));
        }

        return made.Count == _workload.Replicas
            ? made
            : throw new InvalidOperationException(
                $"{made.Count} containers instead of {_workload.Replicas}: another installation uses this lab, or has left something there (make lab-down)");
    }

    /// <summary>What was measured so far does not count.</summary>
    public void Forget() => (ServeCpu, ProxyCpu, Apply) = (new(ServeCpuName), new(ProxyCpuName), new(ApplyName));

    /// <summary>Returns once the app, and with it each container, is gone.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await _kubernetes.CustomObjects.DeleteNamespacedCustomObjectAsync(
            ApiGroup.Name, ApiGroup.Version, Namespace, WebApp.Plural, App, cancellationToken: cancellationToken);
        await Eventually.See(
            () => _kubernetes.CustomObjects.ListNamespacedCustomObjectAsync<CustomResourceList<WebApp>>(
                ApiGroup.Name, ApiGroup.Version, Namespace, WebApp.Plural, cancellationToken: cancellationToken),
            apps => apps.Items.Count == 0,
            Workload.Limit);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _kubernetes.Dispose();
        await Installation.DisposeAsync();
    }
}
