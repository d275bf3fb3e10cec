using System.Diagnostics;
using System.Globalization;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.Benchmarks.Scheduling;

/// <summary>How many placements a second the scheduler decides in memory, how that grows with the hosts, and what is left of it with the API.</summary>
internal static class SchedulerBenchmark
{
    private const int Rounds = 3;

    /// <summary>The size that the goal is about.</summary>
    private const int Measured = 5_000;

    /// <summary>Above this what looks at every host, or at most of them, takes minutes.</summary>
    private const int MostCompared = 1_000;

    private static readonly int[] Sizes = [100, 200, 500, 1_000, 2_000, 5_000, 10_000];

    public static async Task RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        Place(new Fleet(Sizes[0]), new HostFinder(), cancellationToken);
        await output.WriteLineAsync($"{"hosts",8} {"replicas",9} {"placements/s",13} {"µs each",9} {"mixed/s",9} {"scan/s",9} {"one more, ms",13}");
        var (ours, scanned) = (0d, 0d);
        foreach (var size in Sizes)
        {
            var fleet = new Fleet(size);
            var speed = Median(() => Place(fleet, new HostFinder(), cancellationToken));
            var isCompared = size <= MostCompared;
            var mixed = isCompared ? Median(() => Place(new Fleet(size, mixed: true), new HostFinder(), cancellationToken)) : double.NaN;
            var scan = isCompared ? Place(fleet, new HostFinder(alwaysScan: true), cancellationToken) : double.NaN;
            var oneMore = Median(() => OneMore(fleet, cancellationToken));
            (ours, scanned) = (size == Measured ? speed : ours, size == MostCompared ? scan : scanned);
            await output.WriteLineAsync(
                $"{size,8} {fleet.Replicas.Count,9} {Text(speed),13} {1_000_000 / speed,9:F1} {Text(mixed),9} {Text(scan),9} {oneMore,13:F1}");
        }

        var withApi = await ApiScheduling.MeasureAsync(cancellationToken);
        await output.WriteLineAsync($"with the API: {ApiScheduling.Replicas} replicas on {ApiScheduling.Hosts} hosts, created and bound, {Text(withApi)}/s");
        await output.WriteLineAsync($"RESULT placements_per_s={Text(ours)} with_api_per_s={Text(withApi)} plain_scan_1000_hosts_per_s={Text(scanned)}");
    }

    /// <returns>Placements a second of one round for all replicas.</returns>
    private static double Place(Fleet fleet, HostFinder finder, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        GC.Collect();
        var started = Stopwatch.GetTimestamp();
        var decisions = fleet.Round([], finder).Place(fleet.Replicas);
        var elapsed = Stopwatch.GetElapsedTime(started);
        return decisions.All(decision => decision is Placed)
            ? decisions.Count / elapsed.TotalSeconds
            : throw new InvalidOperationException($"not placed: {decisions.OfType<Unfit>().First().Message}");
    }

    /// <returns>Milliseconds of a round for one replica where all others are bound: what a busy installation pays for each.</returns>
    private static double OneMore(Fleet fleet, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var bound = fleet.Round([]).Place(fleet.Replicas.Skip(1)).OfType<Placed>().Select(placed => (placed.Replica, placed.Host, (int?)placed.Port)).ToList();
        Once();
        var started = Stopwatch.GetTimestamp();
        Once();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;

        // The first of the two reads each template's quantities, which the scheduler does when a Replica comes.
        void Once() => fleet.Round(bound).Place(fleet.Replicas.Take(1));
    }

    private static double Median(Func<double> measure)
    {
        var samples = new Samples("");
        for (var round = 0; round < Rounds; round++)
        {
            samples.Add(measure());
        }

        return samples.Median;
    }

    private static string Text(double value) => double.IsNaN(value) ? "-" : value.ToString("F0", CultureInfo.InvariantCulture);
}
