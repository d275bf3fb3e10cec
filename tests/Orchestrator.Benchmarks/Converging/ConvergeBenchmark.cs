using System.Diagnostics;
using System.Globalization;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.Converging;

/// <summary>
/// How long until 30 replicas run on three engines, in alternating rounds: ours from the apply's answer until all are ready and
/// routed, straight engine calls with the very same create bodies (the floor), and Docker Swarm.
/// </summary>
internal static class ConvergeBenchmark
{
    private const int Replicas = 30;

    /// <summary>Medians of three are little; of nine, five minutes.</summary>
    private const int Rounds = 5;

    /// <summary>Of the floor, for each host; as many as the agent starts at a time.</summary>
    private const int AtATime = 4;

    private static readonly TimeSpan IdleWatch = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(TextWriter output)
    {
        var lab = LabDescription.Read(hosts: 3);
        var image = lab.Image("web:v1");
        var engines = lab.Hosts.Take(3).Select(host => new EngineApi(host, lab.Tls)).ToList();
        await Task.WhenAll(engines.Select(engine => engine.PullAsync(image)));

        var (floor, ours, swarm, serve) = (new Samples("floor"), new Samples("ours"), new Samples("swarm"), new Samples("serve"));
        for (var start = 0; start < 5; start++)
        {
            await using var empty = await Installation.StartAsync(hosts: 0);
            serve.Add(empty.ReadyAfter);
        }

        await using var installation = await Installation.StartAsync();
        await using var rival = await Swarm.StartAsync(lab);
        var idle = (Cpu: 0.0, Megabytes: 0.0);
        for (var round = 0; round <= Rounds; round++)
        {
            var measured = await OursAsync(installation, image);
            if (round == Rounds)
            {
                idle = await IdleUse.OfAsync(installation, IdleWatch);
            }

            var requests = await ReadBackAsync(installation, engines);
            (await installation.KubectlAsync("delete", "webapp", "web", "--timeout", "120s")).OrThrow();
            var straight = await FloorAsync(engines, requests);
            var theirs = await rival.ConvergeAsync(image, Replicas);

            // The first round warms all three up: just-in-time compilation, the engines' caches.
            if (round > 0)
            {
                floor.Add(straight);
                ours.Add(measured);
                swarm.Add(theirs);
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"round {round}: floor {straight.TotalMilliseconds:F0} ms, ours {measured.TotalMilliseconds:F0} ms, swarm {theirs.TotalMilliseconds:F0} ms"));
            }
        }

        engines.ForEach(engine => engine.Dispose());
        foreach (var side in new[] { floor, ours, swarm, serve })
        {
            await output.WriteLineAsync(side.ToString());
        }

        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT converge_ratio={ours.Median / floor.Median:F2} swarm_ratio={swarm.Median / floor.Median:F2} floor_ms={floor.Median:F0} ours_ms={ours.Median:F0} swarm_ms={swarm.Median:F0} serve_ready_ms={serve.Median:F0} idle_mb={idle.Megabytes:F0} idle_cpu_percent={idle.Cpu:F2}"));
    }

    private static async Task<TimeSpan> OursAsync(Installation installation, string image)
    {
        await installation.ApplyAsync($$"""
            apiVersion: orchestrator.dev/v1
            kind: WebApp
            metadata: { name: web, namespace: default }
            spec:
              image: {{image}}
              replicas: {{Replicas}}
              terminationGracePeriodSeconds: 1
              readinessProbe: { httpGet: { path: /healthz } }
              route: { hosts: [web.example.org] }
            """);
        var watch = Stopwatch.StartNew();
        using var http = new HttpClient();
        var routes = new Uri(installation.ProxyMetrics, "/routes");
        while (Count(await http.GetStringAsync(routes)) < Replicas)
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException($"{Replicas} replicas were not routed within two minutes");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        return watch.Elapsed;

        static int Count(string table) => table.Split("\"replica\":").Length - 1;
    }

    private static async Task<IReadOnlyList<CreateRequest>> ReadBackAsync(Installation installation, IReadOnlyList<EngineApi> engines)
    {
        var containers = await installation.ContainersAsync("web");
        return containers.Count == Replicas
            ? await Task.WhenAll(containers.Select(container => engines.Single(engine => engine.Name == container.Host).ReadBackAsync(container.Id)))
            : throw new InvalidOperationException($"{containers.Count} containers instead of {Replicas}");
    }

    private static async Task<TimeSpan> FloorAsync(IReadOnlyList<EngineApi> engines, IReadOnlyList<CreateRequest> requests)
    {
        var made = new System.Collections.Concurrent.ConcurrentBag<(EngineApi Engine, string Id)>();

        // Its labels would have the agent take the containers for its own, which no Replica claims, and remove them in mid-round.
        foreach (var request in requests)
        {
            request.Body["Labels"]!.AsObject().Remove(Api.Labels.Instance);
        }

        var watch = Stopwatch.StartNew();
        await Task.WhenAll(engines.Select(engine => Parallel.ForEachAsync(
            requests.Where(request => request.Host == engine.Name),
            new ParallelOptions { MaxDegreeOfParallelism = AtATime },
            async (request, _) => made.Add((engine, await engine.CreateAndStartAsync(request))))));
        var took = watch.Elapsed;
        await Task.WhenAll(engines.Select(engine => Parallel.ForEachAsync(
            made.Where(container => container.Engine == engine),
            new ParallelOptions { MaxDegreeOfParallelism = AtATime },
            async (container, _) => await engine.RemoveAsync(container.Id))));
        return took;
    }
}
