using System.Diagnostics;
using System.Globalization;
using Orchestrator.Api;
using Orchestrator.Benchmarks.Engines;
using Orchestrator.Benchmarks.RollingOut;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.FailingOver;

/// <summary>
/// How long until what ran on a host that is cut off runs elsewhere, ours and Docker Swarm's at the same cut, and what users of ours
/// notice (docs/design/benchmarks.md).
/// </summary>
internal static class FailoverBenchmark
{
    private const int Hosts = 3;
    private const int Rounds = 3;
    private const int Replicas = 9;
    private const int RequestsPerSecond = 200;
    private const string App = "web";
    private const string Service = "bench-failover";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan StepLimit = TimeSpan.FromMinutes(2);

    /// <summary>Between two looks at the engines.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public static Task RunAsync(TextWriter output, CancellationToken stop) =>
        LabRun.RunAsync(Hosts, Limit, (run, cancellationToken) => RunAsync(output, run.Lab, run.Engines, cancellationToken), stop);

    private static async Task RunAsync(TextWriter output, LabDescription lab, IReadOnlyList<EngineApi> engines, CancellationToken cancellationToken)
    {
        var image = lab.Image("httpd:v1");
        await Task.WhenAll(engines.Select(engine => engine.PullAsync(image)));
        await using var installation = await Installation.StartAsync();
        await installation.ApplyAsync(Manifests.Web(App, image, Replicas, "  terminationGracePeriodSeconds: 1"));
        await installation.SeeReady(App, Replicas);
        await using var cluster = await SwarmCluster.StartAsync(engines, lab);
        await cluster.RequireAsync("service", "create", "--detach", "--name", Service, "--replicas", $"{Replicas}", "--stop-grace-period", "1s", image);
        try
        {
            await MeasureAsync(output, lab, engines, installation, cluster, cancellationToken);
        }
        finally
        {
            await lab.Hosts[Hosts - 1].DoAsync("mend");
            await cluster.RemoveAsync(Service, StepLimit);
        }
    }

    private static async Task MeasureAsync(
        TextWriter output, LabDescription lab, IReadOnlyList<EngineApi> engines, Installation installation, SwarmCluster cluster, CancellationToken cancellationToken)
    {
        var (lost, others) = (lab.Hosts[Hosts - 1], engines.Take(Hosts - 1).ToList());
        var (ours, swarm) = (new Samples("ours, ms"), new Samples("swarm, ms"));
        var (requests, failed, worst) = (0, 0, 0.0);
        for (var round = 1; round <= Rounds; round++)
        {
            // Swarm leaves a node that is back without work: told to, it spreads its tasks anew.
            await cluster.SeeReadyAsync(StepLimit);
            await cluster.RequireAsync("service", "update", "--detach", "--force", Service);
            foreach (var engine in engines)
            {
                await SeeRunningAsync([engine], SwarmCluster.LabelOf(Service), Replicas / Hosts, cancellationToken);
                await SeeRunningAsync([engine], $"{Labels.App}={App}", Replicas / Hosts, cancellationToken);
            }

            using var load = await Load.StartAsync(
                new Uri($"http://127.0.0.1:{installation.ProxyPort}/"), Manifests.HostName(App), RequestsPerSecond, StepLimit);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, cancellationToken); // until it has opened its connections
            var watch = Stopwatch.StartNew();
            await lost.DoAsync("cut");
            var (our, theirs) = (OursAsync(), SwarmsAsync());
            ours.Add(await our);
            swarm.Add(await theirs);
            await lost.DoAsync("mend");
            await installation.SeeReady(App, Replicas);
            var asked = await load.StopAsync();
            (requests, failed, worst) = (requests + asked.Requests, failed + asked.Failed, Math.Max(worst, asked.Slowest));
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"round {round}: ours {ours.Values[^1]:F0} ms, swarm {swarm.Values[^1]:F0} ms; of {asked.Requests} GETs {asked.Failed} failed, the slowest took {asked.Slowest:F0} ms"));

            async Task<TimeSpan> OursAsync()
            {
                await SeeRunningAsync(others, $"{Labels.App}={App}", Replicas, cancellationToken);
                await Eventually.See(
                    () => installation.ReplicasAsync(App),
                    seen => seen.Count(replica => replica["status"]?["ready"]?.GetValue<bool>() == true && replica["spec"]!["hostName"]!.GetValue<string>() != lost.Name) >= Replicas,
                    StepLimit);
                return watch.Elapsed;
            }

            async Task<TimeSpan> SwarmsAsync()
            {
                await SeeRunningAsync(others, SwarmCluster.LabelOf(Service), Replicas, cancellationToken);
                return watch.Elapsed;
            }
        }

        var table = new Table(output);
        await table.HeadAsync($"{Replicas} replicas, 1 of {Hosts} hosts cut off");
        await table.RowAsync(ours);
        await table.RowAsync(swarm);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT failed_gets={failed} worst_get_ms={worst:F0} replaced_s={ours.Median / 1000:F1} swarm_replaced_s={swarm.Median / 1000:F1} gets={requests}"));
    }

    private static async Task SeeRunningAsync(IReadOnlyList<EngineApi> engines, string label, int count, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var seen = (await Task.WhenAll(engines.Select(engine => engine.ImagesAsync(label, cancellationToken)))).SelectMany(list => list);
            var running = seen.Count(container => container.State == "running");
            if (running == count)
            {
                return;
            }

            if (watch.Elapsed > StepLimit)
            {
                throw new TimeoutException($"{running} of {count} containers with {label} run on {string.Join(", ", engines.Select(engine => engine.Host.Name))}");
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }
}
