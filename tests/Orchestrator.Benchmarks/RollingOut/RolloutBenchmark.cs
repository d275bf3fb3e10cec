using System.Globalization;
using Orchestrator.Benchmarks.Engines;
using Orchestrator.Testing.Lab;

namespace Orchestrator.Benchmarks.RollingOut;

/// <summary>
/// How long a new version of 9 replicas takes on three engines, new ones first, 3 at a time: ours and Docker Swarm's, in alternating
/// rounds, while users visit ours (docs/design/benchmarks.md).
/// </summary>
internal static class RolloutBenchmark
{
    private const int Hosts = 3;
    private const int Rounds = 6;
    private const int RequestsPerSecond = 500;

    /// <summary>Until the load has opened its connections.</summary>
    private static readonly TimeSpan Opening = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    public static Task RunAsync(TextWriter output, CancellationToken stop) =>
        LabRun.RunAsync(Hosts, Limit, (run, cancellationToken) => RunAsync(output, run.Lab, run.Engines, cancellationToken), stop);

    private static async Task RunAsync(TextWriter output, LabDescription lab, IReadOnlyList<EngineApi> engines, CancellationToken cancellationToken)
    {
        var update = new Update(Replicas: 9, AtOnce: 3, engines);
        string[] versions = [lab.Image("httpd:v1"), lab.Image("httpd:v2")];
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
            var oursFirst = round % 2 == 0;

            // Over both: what the load takes from the processors, it takes from both.
            using var load = await Load.StartAsync(app.Url, OurApp.HostName, RequestsPerSecond, 2 * Update.Limit);
            await Task.Delay(Opening, TimeProvider.System, cancellationToken);
            var first = await (oursFirst ? app.RoundAsync(image, cancellationToken) : service.RoundAsync(image, cancellationToken));
            var second = await (oursFirst ? service.RoundAsync(image, cancellationToken) : app.RoundAsync(image, cancellationToken));
            var asked = await load.StopAsync();
            (requests, failed) = (requests + asked.Requests, failed + asked.Failed);
            var (our, theirs) = oursFirst ? (first, second) : (second, first);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"round {round}{(round == 0 ? " (warms up)" : "")}: ours {our.TotalMilliseconds:F0} ms, swarm {theirs.TotalMilliseconds:F0} ms"));
            if (round > 0)
            {
                ours.Add(our);
                swarm.Add(theirs);
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
