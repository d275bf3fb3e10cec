using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What <c>orc top apps</c> makes of what proxies tell on their Leases. One test, since the Leases are the server's.</summary>
public sealed class TopTrafficTests(ServerFixture server)
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [Fact]
    public async Task What_the_live_proxies_see_is_summed_and_what_none_tells_is_a_dash()
    {
        var space = await server.NamespaceAsync();
        await ApplyAsync(space, string.Concat(new[] { "broken", "quiet", "unseen", "web" }.Select(name => App(name, ", route: {hosts: [" + name + ".example.org]}"))) + App("plain", ""));
        var before = (await server.OrcAsync(["top", "apps", "-n", space])).OrThrow();
        Assert.Equal("No proxy tells of requests.\n", before.Errors);
        Assert.All(Rows(before).Skip(1), row => Assert.Equal(["-", "-", "-", "-", "-", "-"], row[8..]));

        await TellAsync("p1", Now, 3600, new TrafficReport(
        [
            new($"{space}/web", 10, 2, 0, Latencies((0, 90)), EndedPerSecond: 10, ErrorsPerSecond: 0.5),
            new($"{space}/broken", 1, 3, 0, Latencies((40, 15)), EndedPerSecond: 1, ErrorsPerSecond: 1),
            new($"{space}/quiet", 0, 0, 0, []),
        ]));
        await TellAsync("p2", Now, 3600, new TrafficReport(
            [new($"{space}/web", 5, 1, 0, Latencies((0, 4), (13, 4), (30, 2)), EndedPerSecond: 5, ErrorsPerSecond: 1), new($"{space}/broken", 0, 0, 0, [])], Omitted: 7));
        await TellAsync("p3", Now - TimeSpan.FromSeconds(100), 10, new TrafficReport([new($"{space}/web", 1000, 1000, 0)]));
        await TellAsync("p4", Now - TimeSpan.FromDays(1), 10, new TrafficReport([new($"{space}/web", 1000, 1000, 0)]));

        var command = (await server.OrcAsync(["top", "apps", "-n", space])).OrThrow();
        var rows = Rows(command);
        Assert.Equal(["REQ/S", "INFLIGHT", "ERRORS", "P50", "P95", "P99", "WHY"], rows[0][8..]);
        Assert.Equal(["broken", "1", "3", "100%", "1470ms", "1470ms", "1470ms"], Traffic(rows[1]));
        Assert.Equal(["plain", "-", "-", "-", "-", "-", "-"], Traffic(rows[2]));
        Assert.Equal(["quiet", "0", "0", "-", "-", "-", "-", "proxy p2 has no room to tell of it among so many apps"], Traffic(rows[3]));
        Assert.Equal(["unseen", "-", "-", "-", "-", "-", "-", "proxy p1 does not tell of it"], Traffic(rows[4]));
        Assert.Equal(["web", "15", "3", "10%", "1ms", "11ms", "237ms"], Traffic(rows[5]));
        Assert.Matches(@"^Proxy p3 has been silent for \d+ s, by this machine's clock: what it sees is not in the numbers\.\n$", command.Errors);

        Assert.Equal(["web", "broken", "quiet", "plain", "unseen"], await OrderAsync(space, "requests"));
        Assert.Equal(["broken", "web", "plain", "quiet", "unseen"], await OrderAsync(space, "errors"));
        Assert.Equal(["broken", "web", "plain", "quiet", "unseen"], await OrderAsync(space, "latency"));
        Assert.Equal([space, "web"], Rows((await server.OrcAsync(["top", "apps", "-A", "--sort-by", "requests"])).OrThrow())[1][..2]);

        var web = await JsonAsync(space, "web");
        Assert.Equal(
            """{"proxies":2,"requestsPerSecond":15,"inFlight":3,"errorPercent":10,"latencyMilliseconds":{"p50":1,"p95":10.699,"p99":237.376}}""",
            web["traffic"]!.ToJsonString());
        Assert.Equal("""{"proxies":1,"requestsPerSecond":0,"inFlight":0}""", (await JsonAsync(space, "quiet"))["traffic"]!.ToJsonString());
        Assert.Null((await JsonAsync(space, "unseen"))["traffic"]);
        Assert.Contains("errorPercent: 10\n", (await server.OrcAsync(["top", "apps", "web", "-n", space, "-o", "yaml"])).OrThrow().Output, StringComparison.Ordinal);
    }

    private static string[] Traffic(string[] row) => [row[0], .. row[8..]];

    private static List<string[]> Rows(Command command) => [.. command.Output.TrimEnd('\n').Split('\n').Select(line => Regex.Split(line.Trim(), " {2,}"))];

    private static long[] Latencies(params (int Bucket, long Count)[] counts)
    {
        var latencies = new long[counts.Max(count => count.Bucket) + 1];
        foreach (var (bucket, count) in counts)
        {
            latencies[bucket] = count;
        }

        return latencies;
    }

    private static string App(string name, string more) =>
        $"---\n{{apiVersion: orchestrator.dev/v1, kind: WebApp, metadata: {{name: {name}}}, spec: {{image: 'web:v1', replicas: 0{more}}}}}\n";

    private async Task<IEnumerable<string>> OrderAsync(string space, string by) =>
        Rows((await server.OrcAsync(["top", "apps", "-n", space, "--sort-by", by])).OrThrow()).Skip(1).Select(row => row[0]);

    private async Task<JsonNode> JsonAsync(string space, string app) =>
        JsonNode.Parse((await server.OrcAsync(["top", "apps", app, "-n", space, "-o", "json"])).OrThrow().Output)!["items"]![0]!;

    private async Task ApplyAsync(string space, string manifests) => (await server.OrcAsync(["apply", "-f", "-", "-n", space], manifests)).OrThrow();

    private async Task TellAsync(string proxy, DateTimeOffset renewed, int seconds, TrafficReport report)
    {
        var lease = new JsonObject
        {
            ["apiVersion"] = "coordination.k8s.io/v1",
            ["kind"] = "Lease",
            ["metadata"] = new JsonObject
            {
                ["name"] = proxy,
                ["labels"] = new JsonObject { [Labels.Component] = Labels.ProxyComponent },
                ["annotations"] = new JsonObject { [Annotations.Traffic] = report.Write() },
            },
            ["spec"] = new JsonObject { ["renewTime"] = renewed.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", null), ["leaseDurationSeconds"] = seconds },
        };
        (await server.OrcAsync(["apply", "-f", "-", "-n", ApiGroup.SystemNamespace], lease.ToJsonString())).OrThrow();
    }
}
