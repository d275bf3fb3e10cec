using System.Globalization;
using Orchestrator.Benchmarks.Engines;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.RollingOut;

/// <summary>
/// How long a new version of 9 replicas takes on three engines, new ones first, 3 at a time: ours under load, and Docker Swarm, in
/// alternating rounds (docs/design/benchmarks.md).
/// </summary>
internal static class RolloutBenchmark
{
    private const int Hosts = 3;
    private const int Rounds = 6;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    public static async Task RunAsync(TextWriter output, CancellationToken stop)
    {
        var lab = LabDescription.Read(Hosts);
        using var limit = new CancellationTokenSource(Limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        var engines = lab.Hosts.Take(Hosts).Select(host => new EngineApi(host, lab.Tls)).ToList();
        try
        {
            await RunAsync(output, lab, engines, either.Token);
        }
        finally
        {
            engines.ForEach(engine => engine.Dispose());
        }
    }

    private static async Task RunAsync(TextWriter output, LabDescription lab, IReadOnlyList<EngineApi> engines, CancellationToken cancellationToken)
    {
        var update = new Update(Replicas: 9, AtOnce: 3, engines);
        string[] versions = [lab.Image("web:v1"), lab.Image("web:v2")];
        await Task.WhenAll(from engine in engines from image in versions select engine.PullAsync(image));

        var (ours, swarm) = (new Samples("ours, ms"), new Samples("swarm, ms"));
        var (requests, failed) = (0, 0);
        await using var app = await OurApp.StartAsync(update, versions[0]);
        await using var cluster = await SwarmCluster.StartAsync(engines, lab);
        await using var service = new SwarmService(update, cluster);
        await service.StartAsync(versions[0], cancellationToken);
        for (var round = 0; round <= Rounds; round++)
        {
            var image = versions[(round + 1) % 2];
            var first = round % 2 == 0 ? await OursAsync() : await service.RoundAsync(image, cancellationToken);
            var second = round % 2 == 0 ? await service.RoundAsync(image, cancellationToken) : await OursAsync();
            var (our, theirs) = round % 2 == 0 ? (first, second) : (second, first);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"round {round}{(round == 0 ? " (warms up)" : "")}: ours {our.TotalMilliseconds:F0} ms, swarm {theirs.TotalMilliseconds:F0} ms"));
            if (round > 0)
            {
                ours.Add(our);
                swarm.Add(theirs);
            }

            async Task<TimeSpan> OursAsync()
            {
                var (took, load) = await app.RoundAsync(image, cancellationToken);
                (requests, failed) = (requests + load.Requests, failed + load.Failed);
                return took;
            }
        }

        var table = new Table(output);
        await table.HeadAsync($"{update.Replicas} replicas, {update.AtOnce} at a time");
        await table.RowAsync(ours);
        await table.RowAsync(swarm);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"RESULT rollout_ratio={ours.Median / swarm.Median:F2} failed_ours={failed} requests_ours={requests} ours_ms={ours.Median:F0} swarm_ms={swarm.Median:F0}"));
    }
}
