using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What <c>hosts list</c> makes of a host's status.</summary>
public sealed class HostsListTests(ServerFixture server)
{
    private static readonly string[] Headings =
        ["NAME", "READY", "CORDONED", "VERSION", "REPLICAS", "CPU", "CPU-ALLOCATED", "MEMORY", "MEMORY-ALLOCATED", "IMAGES", "AGE", "ENDPOINT", "REASON"];

    [Fact]
    public async Task A_host_is_shown_with_what_it_has_and_what_is_allocated()
    {
        var (host, app) = await HostAsync("unschedulable: true");
        await app.PatchStatusAsync("dh", host, new()
        {
            ["engineVersion"] = "20.10.24",
            ["replicas"] = 3,
            ["capacity"] = new JsonObject { ["cpu"] = "4", ["memory"] = "33608216576" },
            ["allocated"] = new JsonObject { ["cpu"] = "1500m", ["memory"] = "536870912" },
            ["images"] = Images(2),
            ["conditions"] = new JsonArray(AppUnderTest.Condition("Ready", true, "EngineReady", "")),
        });

        var (headings, cells) = await ListAsync(host);

        Assert.Equal(Headings, headings);
        Assert.Equal([host, "True", "true", "20.10.24", "3", "4", "1.5", "31.3Gi", "512Mi", "2"], cells[..10]);
        Assert.Matches("^[0-9]+s$", cells[10]);
        Assert.Equal(["tcp://127.0.0.1:1", "EngineReady"], cells[11..]);
    }

    [Fact]
    public async Task A_host_nobody_has_looked_at_yet_shows_that_nothing_is_known()
    {
        var (host, _) = await HostAsync("unschedulable: false");

        var (_, cells) = await ListAsync(host);

        Assert.Equal([host, "<none>", "false", .. Enumerable.Repeat("<none>", 7)], cells[..10]);
        Assert.Equal("<none>", cells[^1]);
    }

    [Fact]
    public async Task As_many_images_as_the_status_holds_may_be_more()
    {
        var (host, app) = await HostAsync("unschedulable: false");
        await app.PatchStatusAsync("dh", host, new() { ["images"] = Images(50) });

        var (_, cells) = await ListAsync(host);

        Assert.Equal("50+", cells[9]);
    }

    private async Task<(string Host, AppUnderTest App)> HostAsync(string spec)
    {
        var space = await server.NamespaceAsync();
        var host = $"{space}-host";
        (await server.OrcAsync(["apply", "-f", "-"], $$$"""
            {apiVersion: orchestrator.dev/v1, kind: DockerHost, metadata: {name: {{{host}}}, labels: {pool: {{{space}}}}},
             spec: {endpoint: "tcp://127.0.0.1:1", {{{spec}}} } }
            """)).OrThrow();
        return (host, new AppUnderTest(server, space));
    }

    private async Task<(string[] Headings, string[] Cells)> ListAsync(string host)
    {
        var output = (await server.OrcAsync(["hosts", "list", "-l", $"pool={host[..^"-host".Length]}"])).OrThrow().Output;
        var lines = output.TrimEnd('\n').Split('\n');
        Assert.Equal(2, lines.Length);
        return (Cells(lines[0]), Cells(lines[1]));
    }

    private static JsonArray Images(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new JsonObject { ["names"] = new JsonArray($"web:v{i}"), ["sizeBytes"] = 1 })];

    private static string[] Cells(string line) => Regex.Split(line.Trim(), " {2,}");
}
