using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.EndToEnd.Tests.Lab;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>
/// One <c>orc serve</c> of a test's own on the lab's hosts, driven from outside as a user would: the real executable, the real
/// kubectl, requests through the real proxy. Gone with the test, with every container it made.
/// </summary>
internal sealed class Installation : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private const int PortsPerHost = 500;
    private const string Namespace = "default";
    private static int _started;
    private readonly TemporaryFolder _folder = new();
    private readonly StringBuilder _log = new();
    private readonly string[] _serveOptions;
    private readonly string? _givenKubeconfig;
    private readonly string _portRange;
    private readonly int _metricsPort;
    private readonly int _adminPort;
    private readonly int _apiPort;
    private readonly Lazy<k8s.Kubernetes> _api;
    private Process? _serve;
    private string? _id;

    private Installation(LabDescription lab, string? kubeconfig, string[] serveOptions)
    {
        Lab = lab;
        _givenKubeconfig = kubeconfig;
        _serveOptions = serveOptions;
        var first = PortRange.DefaultFirst + (PortsPerHost * (1 + (Interlocked.Increment(ref _started) % 10)));
        _portRange = $"{first}-{first + PortsPerHost - 1}";
        (_apiPort, ProxyPort, _adminPort, _metricsPort) = (FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next());
        _api = new(() => new(KubernetesClientConfiguration.BuildConfigFromConfigFile(Kubeconfig)));
        Engines = [.. lab.Hosts.Select(host => new Engine(host.Name, host.Socket))];
        Http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromSeconds(30) })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{ProxyPort}"),
            Timeout = TimeSpan.FromSeconds(30),
        };
    }

    public LabDescription Lab { get; }

    public IReadOnlyList<Engine> Engines { get; }

    public int ProxyPort { get; }

    /// <summary>Through the proxy's shared listener.</summary>
    public HttpClient Http { get; }

    public string DataFolder => _folder["data"];

    public string Kubeconfig => _givenKubeconfig ?? Path.Combine(DataFolder, "admin.kubeconfig");

    public Uri Metrics => new($"http://127.0.0.1:{_metricsPort}/metrics");

    public Uri ProxyMetrics => new($"http://127.0.0.1:{_adminPort}/metrics");

    /// <summary>What <c>orc serve</c> has printed so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>From the start of the process until it said that it is ready, the last time.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    public bool IsRunning => _serve is { HasExited: false };

    /// <summary>One on hosts that stay whole.</summary>
    /// <param name="hosts">How many of them join.</param>
    /// <param name="kubeconfig">A real cluster to run on instead of the embedded API server.</param>
    public static Task<Installation> StartAsync(int hosts = LabDescription.Kept, string? kubeconfig = null, params string[] serveOptions) =>
        StartAsync(LabDescription.ReadKept(), hosts, kubeconfig, serveOptions);

    /// <summary>One whose hosts may be broken: for tests of the collection <c>BreakingHosts</c>.</summary>
    /// <inheritdoc cref="StartAsync(int, string?, string[])" path="/param"/>
    public static Task<Installation> StartToBreakAsync(int hosts = LabDescription.Kept, params string[] serveOptions) =>
        StartAsync(LabDescription.ReadToBreak(), hosts, kubeconfig: null, serveOptions);

    private static async Task<Installation> StartAsync(LabDescription lab, int hosts, string? kubeconfig, string[] serveOptions)
    {
        var installation = new Installation(lab, kubeconfig, serveOptions);
        try
        {
            await installation.ServeAsync();
            installation._id = (await installation.KubectlAsync("get", "namespace", ApiGroup.SystemNamespace, "-o", "jsonpath={.metadata.uid}")).OrThrow().Output;
            foreach (var host in lab.Hosts.Take(hosts))
            {
                await installation.JoinAsync(host);
            }

            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts <c>orc serve</c> and waits until it says that it is ready.</summary>
    public async Task ServeAsync()
    {
        string[] where = _givenKubeconfig is { } kubeconfig ? ["--kubeconfig", kubeconfig] : ["--port", $"{_apiPort}"];
        var start = new ProcessStartInfo(Orc.Path,
        [
            "serve", "--data-folder", DataFolder, .. where, "--metrics-listen", $"127.0.0.1:{_metricsPort}",
            "--proxy-listen", $"127.0.0.1:{ProxyPort}", "--proxy-admin-listen", $"127.0.0.1:{_adminPort}", .. _serveOptions,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var watch = Stopwatch.StartNew();
        var serve = Process.Start(start)!;
        serve.OutputDataReceived += (_, line) => Keep(line.Data);
        serve.ErrorDataReceived += (_, line) => Keep(line.Data);
        serve.BeginOutputReadLine();
        serve.BeginErrorReadLine();
        _serve = serve;
        using var http = new HttpClient();
        await Eventually.True(
            async () => serve.HasExited
                ? throw new InvalidOperationException($"orc serve ended with {serve.ExitCode}:\n{Log}")
                : (await http.GetAsync(new Uri($"http://127.0.0.1:{_metricsPort}/readyz"))).StatusCode == HttpStatusCode.OK,
            StartLimit);
        ReadyAfter = watch.Elapsed;
    }

    /// <summary>SIGKILL, as the kernel's out-of-memory killer would.</summary>
    public async Task KillAsync()
    {
        _serve!.Kill();
        await _serve.WaitForExitAsync();
    }

    /// <summary>Stops the process in its tracks (SIGSTOP) for as long, as a machine that is suspended does.</summary>
    public async Task SleepAsync(TimeSpan time)
    {
        (await Command.RunAsync("kill", ["-STOP", $"{_serve!.Id}"])).OrThrow();
        await Pace.PassAsync(time);
        (await Command.RunAsync("kill", ["-CONT", $"{_serve.Id}"])).OrThrow();
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        (await Command.RunAsync("kill", ["-TERM", $"{_serve!.Id}"])).OrThrow();
        await _serve.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _serve.ExitCode;
    }

    public async Task JoinAsync(LabHost host) => (await OrcAsync(
        "hosts", "add", host.Name, "--endpoint", host.Endpoint,
        "--tls-ca", Lab.Tls.Ca, "--tls-cert", Lab.Tls.Certificate, "--tls-key", Lab.Tls.Key, "--port-range", _portRange)).OrThrow();

    public Task<Command> OrcAsync(params string[] arguments) => OrcAsync(arguments, "");

    public Task<Command> OrcAsync(string[] arguments, string input) =>
        Command.RunAsync(Orc.Path, [.. arguments, "--kubeconfig", Kubeconfig], input);

    public Task<Command> KubectlAsync(params string[] arguments) => KubectlAsync(arguments, "");

    public async Task<Command> KubectlAsync(string[] arguments, string input) =>
        await Command.RunAsync(await Dependency.PathOf("kubectl"), [.. arguments, "--kubeconfig", Kubeconfig], input);

    public async Task ApplyAsync(string manifest) => (await KubectlAsync(["apply", "-f", "-"], manifest)).OrThrow();

    /// <summary>
    /// An object as the API server has it. Who waits looks several times a second, and a kubectl each time would keep a processor from those
    /// who are waited for.
    /// </summary>
    public Task<JsonNode> GetAsync(string kind, string name) => kind switch
    {
        "webapp" => NamespacedAsync(WebApp.Plural, name),
        "replica" => NamespacedAsync(Replica.Plural, name),
        "dockerhost" => _api.Value.CustomObjects.GetClusterCustomObjectAsync<JsonNode>(ApiGroup.Name, ApiGroup.Version, DockerHost.Plural, name),
        _ => throw new ArgumentException($"no kind {kind} is asked for by any test so far", nameof(kind)),
    };

    public async Task<IReadOnlyList<JsonNode>> ReplicasAsync(string app)
    {
        var listed = await _api.Value.CustomObjects.ListNamespacedCustomObjectAsync<JsonNode>(
            ApiGroup.Name, ApiGroup.Version, Namespace, Replica.Plural, labelSelector: $"{Labels.App}={app}");
        return [.. listed["items"]!.AsArray().Select(item => item!)];
    }

    /// <inheritdoc cref="Visitor(HttpClient, string, int, TimeSpan?, Func{Task{string}}?)"/>
    public Visitor Visit(string app, int people = 2, TimeSpan? pause = null) => new(Http, app, people, pause, () => WitnessAsync(app));

    /// <summary>An app's replicas and the hosts as they are now, in two lines.</summary>
    public async Task<string> WitnessAsync(string app)
    {
        var at = TimeProvider.System.GetUtcNow();
        var hosts = await _api.Value.CustomObjects.ListClusterCustomObjectAsync<JsonNode>(ApiGroup.Name, ApiGroup.Version, DockerHost.Plural);
        return $"at {at:HH:mm:ss.fff} {Told(await ReplicasAsync(app), ConditionTypes.Ready)}\nhosts: {Told(hosts["items"]!.AsArray()!, ConditionTypes.Alive)}";
    }

    /// <summary>Waits until the app's status says that just so many are there and ready for its newest generation.</summary>
    public Task<JsonNode> SeeReady(string app, int replicas, TimeSpan? within = null) => Eventually.See(
        () => GetAsync("webapp", app),
        seen => Number(seen, "readyReplicas") == replicas
            && Number(seen, "replicas") == replicas
            && Number(seen, "updatedReplicas") == replicas
            && seen["status"]?["observedGeneration"]?.GetValue<long>() == seen["metadata"]!["generation"]!.GetValue<long>(),
        within ?? TimeSpan.FromSeconds(60));

    public Task SeeDescribed(string kind, string name, string text, TimeSpan within) => Eventually.See(
        async () => (await KubectlAsync("describe", kind, name)).OrThrow().Output, seen => seen.Contains(text, StringComparison.Ordinal), within);

    /// <summary>
    /// The containers of an app on all hosts, whatever their state, as the engines themselves list them. Not those of other
    /// installations: a host that was cut off may be asked for one when whoever asked for it has long gone.
    /// </summary>
    public async Task<IReadOnlyList<Container>> ContainersAsync(string app)
    {
        var lists = await Task.WhenAll(Engines.Select(engine => engine.ContainersAsync()));
        return [.. lists.SelectMany(list => list).Where(container => IsOurs(container) && container.Labels.GetValueOrDefault(Labels.App) == app)];
    }

    /// <summary>Made by this installation, and by no other.</summary>
    public bool IsOurs(Container container) => _id is not null && container.Labels.GetValueOrDefault(Labels.Instance) == _id;

    public Engine EngineOf(Container container) => Engines.Single(engine => engine.Name == container.Host);

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            await StopAsync();
        }

        _serve?.Dispose();
        if (_api.IsValueCreated)
        {
            _api.Value.Dispose();
        }

        Http.Dispose();
        foreach (var engine in Engines)
        {
            foreach (var container in await engine.ContainersAsync())
            {
                if (IsOurs(container))
                {
                    await engine.RemoveAsync(container.Id);
                }
            }

            engine.Dispose();
        }

        _folder.Dispose();
    }

    private Task<JsonNode> NamespacedAsync(string plural, string name) =>
        _api.Value.CustomObjects.GetNamespacedCustomObjectAsync<JsonNode>(ApiGroup.Name, ApiGroup.Version, Namespace, plural, name);

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_log)
            {
                _log.AppendLine(line);
            }
        }
    }

    private static string Told(IEnumerable<JsonNode?> objects, string condition) => string.Join("; ", objects.Select(one =>
    {
        var found = one!["status"]?["conditions"]?.AsArray().FirstOrDefault(each => each!["type"]!.GetValue<string>() == condition);
        return $"{one["metadata"]!["name"]} {one["spec"]!["hostName"]} {condition}={found?["status"]} {found?["reason"]} {found?["message"]}";
    }));

    private static int Number(JsonNode app, string field) => app["status"]?[field]?.GetValue<int>() ?? 0;
}
