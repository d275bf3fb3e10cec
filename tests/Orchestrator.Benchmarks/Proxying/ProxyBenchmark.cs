using System.Globalization;
using System.Text;

namespace Orchestrator.Benchmarks.Proxying;

/// <summary>
/// Our proxy as it ships, against HAProxy, nginx and Caddy: the same replicas, the same load, one after the other in turns
/// (docs/design/benchmarks.md).
/// </summary>
internal static class ProxyBenchmark
{
    private const int Replicas = 4;

    /// <summary>What a runtime compiles as it learns what is hot is compiled by then.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan Length = TimeSpan.FromSeconds(4);

    /// <param name="firstOnly">Only what the RESULT line is about.</param>
    public static async Task RunAsync(TextWriter output, bool firstOnly, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder();
        var (server, ports) = await Nginx.StartReplicasAsync(folder, Replicas, cancellationToken);
        await using var replicas = server;
        var certificate = new SiteCertificate(folder);
        await using var ours = await OurProxy.StartAsync(folder, ports, certificate, cancellationToken);
        await using var haproxy = await Rivals.StartHaproxyAsync(folder, ports, certificate, cancellationToken);
        await using var nginx = await Rivals.StartNginxAsync(folder, ports, certificate, cancellationToken);
        await using var caddy = await Rivals.StartCaddyAsync(folder, ports, certificate, cancellationToken);
        IReadOnlyList<Contender> contenders = [new("ours", ours.Proxy), new("haproxy", haproxy), new("nginx", nginx), new("caddy", caddy)];
        foreach (var contender in contenders)
        {
            await Wrk.RunAsync(contender.Proxy, Scenario.All[0], WarmUp, cancellationToken);
        }

        Dictionary<string, Measured>? first = null;
        foreach (var scenario in Scenario.All.Take(firstOnly ? 1 : Scenario.All.Count))
        {
            var measured = await MeasureAsync(scenario, contenders, cancellationToken);
            await TellAsync(output, scenario, contenders, measured);
            first ??= measured;
        }

        // By rounds: both sides of a ratio had the same minute of the machine.
        string Ratio(string rival, Func<Measured, Samples> of) =>
            of(first!["ours"]).RatioTo(of(first[rival])).ToString("F2", CultureInfo.InvariantCulture);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"RESULT vs_haproxy={Ratio("haproxy", one => one.Rate)} vs_nginx={Ratio("nginx", one => one.Rate)} vs_caddy={Ratio("caddy", one => one.Rate)} p99_vs_haproxy={Ratio("haproxy", one => one.Slow)} cpu_us={first!["ours"].Cpu.Median:F1} haproxy_cpu_us={first["haproxy"].Cpu.Median:F1}"));
    }

    private static async Task<Dictionary<string, Measured>> MeasureAsync(
        Scenario scenario, IReadOnlyList<Contender> contenders, CancellationToken cancellationToken)
    {
        var measured = contenders.ToDictionary(one => one.Name, one => new Measured(one.Name));
        for (var round = 0; round < scenario.Rounds; round++)
        {
            // Another one is first each time: what a machine does beside this does not always hit the same.
            for (var i = 0; i < contenders.Count; i++)
            {
                var (name, proxy) = contenders[(round + i) % contenders.Count];
                var before = proxy.Cpu;
                var result = await Wrk.RunAsync(proxy, scenario, Length, cancellationToken);
                measured[name].Add(result, proxy.Cpu - before);
            }
        }

        return measured;
    }

    private static async Task TellAsync(
        TextWriter output, Scenario scenario, IReadOnlyList<Contender> contenders, Dictionary<string, Measured> measured)
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture,
            $"{scenario.Name,-30} {"requests/s",10} {"p50, ms",8} {"p99, ms",8} {"µs each",8} {"MB",6}  requests/s by round");
        foreach (var (name, proxy) in contenders)
        {
            var one = measured[name];
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{name,-30} {one.Rate.Median,10:F0} {one.Half.Median,8:F2} {one.Slow.Median,8:F2} {one.Cpu.Median,8:F1} {proxy.Megabytes,6:F0}  {string.Join(' ', one.Rate.Values.Select(rate => rate.ToString("F0", CultureInfo.InvariantCulture)))}");
        }

        await output.WriteLineAsync(text);
    }

    private sealed record Contender(string Name, Daemon Proxy);

    private sealed class Measured(string name)
    {
        public Samples Rate { get; } = new(name);

        public Samples Half { get; } = new(name);

        public Samples Slow { get; } = new(name);

        /// <summary>Processor time of a request, in µs.</summary>
        public Samples Cpu { get; } = new(name);

        public void Add(WrkResult result, TimeSpan cpu)
        {
            Rate.Add(result.Rate);
            Half.Add(result.Median);
            Slow.Add(result.Slow);
            Cpu.Add(cpu.TotalMicroseconds / result.Requests);
        }
    }
}
