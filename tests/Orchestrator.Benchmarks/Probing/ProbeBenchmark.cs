using System.Globalization;

namespace Orchestrator.Benchmarks.Probing;

/// <summary>1,000 replicas probed each second by this process: its processor time, and how its probes are spread.</summary>
internal static class ProbeBenchmark
{
    private const int Replicas = 1000;
    private const int Rounds = 3;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Connections of the side before end meanwhile, and probes reach their places.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await using var server = await ProbedProcess.StartAsync(Replicas, cancellationToken);
        var sides = new[] { new Side("floor http", server), new Side("ours http", server), new Side("floor tcp", server), new Side("ours tcp", server) };
        for (var round = 0; round <= Rounds; round++)
        {
            // The first warms up: it compiles.
            foreach (var side in round % 2 == 0 ? sides : [.. sides.Reverse()])
            {
                await side.MeasureAsync(counts: round > 0, cancellationToken);
            }
        }

        var table = new Table(output);
        await table.HeadAsync("µs of processor a probe");
        foreach (var side in sides)
        {
            await table.RowAsync(side.Micros, "F1");
        }

        await table.HeadAsync("percent of a core");
        foreach (var side in sides)
        {
            await table.RowAsync(side.Percent, "F1");
        }

        await table.HeadAsync("largest 10 ms slot, %");
        foreach (var side in sides)
        {
            await table.RowAsync(side.Slot, "F1");
        }

        await table.HeadAsync("latest probe, ms");
        foreach (var side in sides)
        {
            await table.RowAsync(side.Late, "F0");
        }

        string Text(double value) => value.ToString("F1", CultureInfo.InvariantCulture);
        await output.WriteLineAsync(
            $"RESULT probes_http_us={Text(sides[1].Micros.Median)} probes_http_floor_us={Text(sides[0].Micros.Median)} probes_http_core_percent={Text(sides[1].Percent.Median)} "
            + $"probes_tcp_us={Text(sides[3].Micros.Median)} probes_tcp_floor_us={Text(sides[2].Micros.Median)} probes_tcp_core_percent={Text(sides[3].Percent.Median)} "
            + $"probes_largest_slot_percent={Text(Math.Max(sides[1].Slot.Most, sides[3].Slot.Most))} probes_latest_ms={Text(Math.Max(sides[1].Late.Most, sides[3].Late.Most))}");
    }

    private sealed class Side(string name, ProbedProcess server)
    {
        public Samples Micros { get; } = new(name);

        public Samples Percent { get; } = new(name);

        public Samples Slot { get; } = new(name);

        public Samples Late { get; } = new(name);

        public async Task MeasureAsync(bool counts, CancellationToken cancellationToken)
        {
            var get = name.EndsWith("http", StringComparison.Ordinal);
            await using var floor = new ProbeFloor(server.Ports, get);
            await using var ours = new OurProbes(server.Ports, get);
            if (name.StartsWith("floor", StringComparison.Ordinal))
            {
                floor.Start();
            }
            else
            {
                ours.Start();
            }

            await Task.Delay(Settle, TimeProvider.System, cancellationToken);
            await server.BeginAsync();
            var (used, began) = (Environment.CpuUsage.TotalTime, TimeProvider.System.GetTimestamp());
            await Task.Delay(Measured, TimeProvider.System, cancellationToken);
            var (use, took) = (Environment.CpuUsage.TotalTime - used, TimeProvider.System.GetElapsedTime(began));
            var seen = await server.EndAsync(cancellationToken);
            var expected = Replicas * took.TotalSeconds;
            if (ours.Unready > 0 || seen.Ports != Replicas || Math.Abs(seen.Connections - expected) > expected / 20)
            {
                throw new InvalidOperationException(
                    $"{name}: {seen.Connections} probes of {seen.Ports} replicas within {took.TotalSeconds:F1} s, {ours.Unready} not ready: not what was to be measured");
            }

            if (counts)
            {
                Micros.Add(use.TotalMicroseconds / seen.Connections);
                Percent.Add(100 * use / took);
                Slot.Add(seen.LargestSlotPercent);
                Late.Add(seen.LongestGap - Period.TotalMilliseconds);
            }
        }
    }
}
