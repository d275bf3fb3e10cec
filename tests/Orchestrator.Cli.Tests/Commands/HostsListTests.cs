using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What <c>hosts list</c> makes of a host's status.</summary>
public sealed class HostsListTests(ServerFixture server)
{
    private static readonly string[] Headings =
    [
        "NAME", "READY", "CORDONED", "VERSION", "REPLICAS", "CPU", "CPU-ALLOCATED", "CPU-USED", "MEMORY", "MEMORY-ALLOCATED", "MEMORY-USED",
        "IMAGES", "AGE", "ENDPOINT", "REASON",
    ];

    /// <summary>One test, since each command is a process: hosts are shown side by side anyway.</summary>
    [Fact]
    public async Task Hosts_are_shown_with_what_they_have_and_what_is_allocated()
    {
        (await server.OrcAsync(["apply", "-f", "-"], Manifest("list-busy", "unschedulable: true") + Manifest("list-images") + Manifest("list-unseen"))).OrThrow();
        var hand = new AppUnderTest(server, "default");
        await hand.PatchStatusAsync("dh", "list-busy", new()
        {
            ["engineVersion"] = "20.10.24",
            ["replicas"] = 3,
            ["capacity"] = new JsonObject { ["cpu"] = "4", ["memory"] = "33608216576" },
            ["allocated"] = new JsonObject { ["cpu"] = "1500m", ["memory"] = "536870912" },
            ["images"] = Images(2),
            ["conditions"] = new JsonArray(AppUnderTest.Condition("Ready", true, "EngineReady", "")),
        });
        await hand.PatchStatusAsync("dh", "list-images", new()
        {
            ["images"] = Images(50),
            ["flapping"] = new JsonObject { ["count"] = 3, ["failedAt"] = "2026-01-01T00:00:00Z", ["until"] = DateTime.UtcNow.AddHours(3).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) },
            ["conditions"] = new JsonArray(AppUnderTest.Condition("Ready", true, "EngineReady", "")),
        });

        var lines = (await server.OrcAsync(["hosts", "list", "-l", "pool=list"])).OrThrow().Output.TrimEnd('\n').Split('\n');

        Assert.Equal(4, lines.Length);
        var (busy, images, unseen) = (Cells(lines[1]), Cells(lines[2]), Cells(lines[3]));
        Assert.Equal(Headings, Cells(lines[0]));
        Assert.Equal(["list-busy", "True", "true", "20.10.24", "3", "4", "1.5", "0", "31.3Gi", "512Mi", "0", "2"], busy[..12]);
        Assert.Matches("^[0-9]+s$", busy[12]);
        Assert.Equal(["tcp://127.0.0.1:1", "EngineReady"], busy[13..]);

        // As many as a status names at most.
        Assert.Equal("50+", images[11]);
        Assert.StartsWith("Flapping (3 times, nothing new for ", images[^1], StringComparison.Ordinal);
        Assert.Equal(["list-unseen", "<none>", "false", .. Enumerable.Repeat("<none>", 9)], unseen[..12]);
        Assert.Equal("<none>", unseen[^1]);
    }

    private static string Manifest(string name, string spec = "unschedulable: false") => $$$"""
        ---
        {apiVersion: orchestrator.dev/v1, kind: DockerHost, metadata: {name: {{{name}}}, labels: {pool: list}},
         spec: {endpoint: "tcp://127.0.0.1:1", {{{spec}}} } }

        """;

    private static JsonArray Images(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new JsonObject { ["names"] = new JsonArray($"web:v{i}"), ["sizeBytes"] = 1 })];

    private static string[] Cells(string line) => Regex.Split(line.Trim(), " {2,}");
}
