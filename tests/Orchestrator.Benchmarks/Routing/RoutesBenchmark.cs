using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.Benchmarks.Routing;

/// <summary>What a request's route costs to find, and a change of endpoints to apply: with 10,000 routes and 50,000 replicas, and with ten.</summary>
internal static class RoutesBenchmark
{
    private const int Few = 10;
    private const int Many = 10_000;
    private const int Rounds = 5;
    private const int Changes = 40;
    private const int LookUps = 200_000;

    public static async Task RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await using var few = await RoutedApps.StartAsync(Few, cancellationToken);
        var filling = Stopwatch.StartNew();
        await using var many = await RoutedApps.StartAsync(Many, cancellationToken);
        await output.WriteLineAsync($"{Many} apps, {Many * RoutedApps.ReplicasEach} replicas written and read in {Text(filling.Elapsed.TotalSeconds)} s");

        var (fewFinds, manyFinds) = (new Samples($"look-up of {Few}, µs"), new Samples($"look-up of {Many}, µs"));
        var (fewChanges, manyChanges) = (new Samples($"change of {Few}, ms"), new Samples($"change of {Many}, ms"));
        for (var round = 0; round <= Rounds; round++)
        {
            var (fewFind, manyFind) = (Find(few, Few), Find(many, Many));
            var (fewChange, manyChange) = (await ChangeAsync(few, Few, round, cancellationToken), await ChangeAsync(many, Many, round, cancellationToken));
            if (round > 0)
            {
                fewFinds.Add(fewFind);
                manyFinds.Add(manyFind);
                fewChange.ForEach(fewChanges.Add);
                manyChange.ForEach(manyChanges.Add);
            }
        }

        await output.WriteLineAsync($"{"",-24} {"median",8} {"least",8} {"most",8}");
        foreach (var samples in (Samples[])[fewFinds, manyFinds, fewChanges, manyChanges])
        {
            await output.WriteLineAsync($"{samples.Name,-24} {Text(samples.Median),8} {Text(samples.Least),8} {Text(samples.Most),8}");
        }

        await output.WriteLineAsync(
            $"RESULT lookup_us={Text(manyFinds.Median)} change_ms={Text(manyChanges.Median)} change_worst_ms={Text(manyChanges.Most)}"
            + $" lookup_of_ten_us={Text(fewFinds.Median)} change_of_ten_ms={Text(fewChanges.Median)}");
    }

    /// <returns>µs of one, each of another host name.</returns>
    private static double Find(RoutedApps routed, int apps)
    {
        // A step that no cache line and no prefetcher follows.
        const int Step = 7919;
        var hosts = Enumerable.Range(0, apps).Select(i => RoutedApps.HostOf((int)((long)i * Step % apps))).ToArray();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < LookUps; i++)
        {
            if (!routed.Find(hosts[i % apps]))
            {
                throw new InvalidOperationException($"no route for {hosts[i % apps]}");
            }
        }

        return watch.Elapsed.TotalMicroseconds / LookUps;
    }

    private static async Task<List<TimeSpan>> ChangeAsync(RoutedApps routed, int apps, int round, CancellationToken cancellationToken)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < Changes / 2; i++)
        {
            var app = ((round * Changes) + i) * 101 % apps;
            times.Add(await routed.ChangeAsync(app, ready: false, cancellationToken));
            times.Add(await routed.ChangeAsync(app, ready: true, cancellationToken));
        }

        return times;
    }

    private static string Text(double value) => value.ToString("F2", CultureInfo.InvariantCulture);
}
