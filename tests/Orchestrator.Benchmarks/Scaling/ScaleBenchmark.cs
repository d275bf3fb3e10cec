using System.Diagnostics;
using System.Globalization;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;
using Orchestrator.Benchmarks.Processes;
using Orchestrator.Runtime.Clients;
using k8s;

namespace Orchestrator.Benchmarks.Scaling;

/// <summary>
/// Many replicas on many simulated engines through one real <c>orc serve</c>: how fast they start, what is written for each, and what
/// the process holds (docs/design/benchmarks.md).
/// </summary>
internal static class ScaleBenchmark
{
    private const int ReplicasAnApp = 100;
    private const string FieldManager = "bench-scale";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    /// <summary>After the last replica is ready, until nothing follows from it any more.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan IdleWatch = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(TextWriter output, ScaleOptions options, CancellationToken cancellationToken)
    {
        OpenFiles.Require(options.Hosts * OpenFiles.ConnectionsAHost, "orc serve");
        var containersAHost = (options.Replicas + options.Hosts - 1) / options.Hosts;
        var load = (await File.ReadAllTextAsync("/proc/loadavg", cancellationToken)).Split(' ')[0];
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Hosts} hosts, {options.Replicas} replicas, latencies × {options.LatencyFactor}; ports tried every 10 s, no routes; load average {load}"));
        var floor = await ScaleFloor.MeasureAsync(
            Math.Min(options.Hosts, ScaleFloor.MostEngines), containersAHost, options.LatencyFactor, cancellationToken);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"floor: {floor:F0} started/s on {Math.Min(options.Hosts, ScaleFloor.MostEngines)} engines by a bare client"));

        // Twice what an even spread gives a host: apps are spread one by one.
        await using var farm = await EngineFarm.StartAsync(options.Hosts, 2 * containersAHost, options.LatencyFactor, cancellationToken);
        using var folder = new TemporaryFolder();
        await using var serve = await ServeProcess.StartAsync(folder["data"], cancellationToken);
        try
        {
            await MeasureAsync(output, options, floor, farm, serve, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            throw new InvalidOperationException($"{failure.Message}\norc serve said at last:\n{string.Join('\n', serve.Log.Split('\n').TakeLast(20))}", failure);
        }
    }

    private static async Task MeasureAsync(
        TextWriter output, ScaleOptions options, double floor, EngineFarm farm, ServeProcess serve, CancellationToken cancellationToken)
    {
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(serve.Kubeconfig));
        using var http = new HttpClient();
        var watch = Stopwatch.StartNew();
        await ScaleHosts.JoinAsync(new ResourceClient<DockerHost>(kubernetes, FieldManager), farm, cancellationToken);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"hosts: all ready after {watch.Elapsed.TotalSeconds:F1} s, orc serve then {ProcessUse.ResidentMegabytes(serve.Id):F0} MB"));

        var before = ApiWrites.Parse(await http.GetStringAsync(serve.Metrics, cancellationToken));
        var (serveCpu, farmCpu) = (ProcessUse.Cpu(serve.Id), farm.Cpu);
        watch.Restart();
        var apps = new ResourceClient<WebApp>(kubernetes, FieldManager);
        for (var left = options.Replicas; left > 0; left -= ReplicasAnApp)
        {
            await apps.CreateAsync(App(left / ReplicasAnApp, Math.Min(left, ReplicasAnApp)), cancellationToken);
        }

        await ReadyCurve.FollowAsync(output, apps, options.Replicas, watch, Limit, cancellationToken);
        var took = watch.Elapsed;
        (serveCpu, farmCpu) = (ProcessUse.Cpu(serve.Id) - serveCpu, farm.Cpu - farmCpu);

        await Task.Delay(Settle, TimeProvider.System, cancellationToken);
        var settled = ApiWrites.Parse(await http.GetStringAsync(serve.Metrics, cancellationToken));
        var writes = settled.Since(before);
        await writes.WriteAsync(output, "writes until ready", options.Replicas);

        watch.Restart();
        var idleCpu = ProcessUse.Cpu(serve.Id);
        await Task.Delay(IdleWatch, TimeProvider.System, cancellationToken);
        var idlePercent = (ProcessUse.Cpu(serve.Id) - idleCpu) * 100 / watch.Elapsed;
        var idleWrites = ApiWrites.Parse(await http.GetStringAsync(serve.Metrics, cancellationToken)).Since(settled);
        await idleWrites.WriteAsync(output, "writes while idle", options.Replicas);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"until ready: {took.TotalSeconds:F1} s; orc serve used {serveCpu.TotalSeconds:F1} s of processors ({serveCpu.TotalMilliseconds / options.Replicas:F1} ms a start), the simulated engines {farmCpu.TotalSeconds:F1} s"));
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"orc serve: {ProcessUse.ResidentMegabytes(serve.Id):F0} MB, at most {ProcessUse.PeakMegabytes(serve.Id):F0}; idle over {IdleWatch.TotalSeconds} s: {idlePercent:F1} % of a core, {idleWrites.Done / IdleWatch.TotalSeconds:F1} writes/s"));
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT started_per_s={options.Replicas / took.TotalSeconds:F0} rss_mb={ProcessUse.ResidentMegabytes(serve.Id):F0} idle_cpu_percent={idlePercent:F1} writes_per_start={writes.Done / options.Replicas:F2} floor_per_s={floor:F0} hosts={options.Hosts} replicas={options.Replicas}"));
    }

    private static WebApp App(int number, int replicas) => new()
    {
        Metadata = new() { Name = $"app-{number:00000}", NamespaceProperty = "default" },
        Spec = new() { Image = EngineFarm.Image, Replicas = replicas, TerminationGracePeriodSeconds = 1 },
    };
}
