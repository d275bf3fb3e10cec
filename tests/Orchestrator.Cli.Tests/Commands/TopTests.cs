using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Orchestrator.Cli.Tests.Waiting;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What <c>orc top</c> makes of what engines say, and of engines that say nothing.</summary>
public sealed class TopTests(ServerFixture server)
{
    private const int Mebibyte = 1 << 20;

    /// <summary>One test, since each command is a process and all of them look at the same replicas.</summary>
    [Fact]
    public async Task Use_is_shown_by_replica_app_and_host_and_a_silent_host_makes_nothing_else_unknown()
    {
        await using var engine = await StubEngine.StartAsync([], new() { ["c1"] = (0.05m, 30 * Mebibyte), ["c2"] = (0.15m, 50 * Mebibyte) });
        var space = await server.NamespaceAsync();
        await ApplyAsync(space, Host("top-1", engine.Endpoint) + Host("top-2", "tcp://127.0.0.1:1") + Host("top-3", engine.Endpoint) + App("web") + App("idle")
            + Replica("web-a", "top-1") + Replica("web-b", "top-1") + Replica("web-c", "top-2") + Replica("web-d", "top-1") + Replica("web-e", "top-3"));
        var hand = new AppUnderTest(server, space);
        await hand.PatchStatusAsync("dh", "top-1", new() { ["capacity"] = new JsonObject { ["cpu"] = "2", ["memory"] = "1Gi" }, ["replicas"] = 3 });
        await hand.PatchStatusAsync("dh", "top-3", new() { ["conditions"] = new JsonArray(AppUnderTest.Condition("Ready", false, "EngineSilent", "it hangs")) });
        foreach (var (name, container) in new[] { ("web-a", "c1"), ("web-b", "c2"), ("web-c", "c3"), ("web-e", "c2") })
        {
            await hand.PatchStatusAsync("rep", name, new() { ["phase"] = "Running", ["containerId"] = container });
        }

        var replicas = await RowsAsync("top", "replicas", "-n", space);
        Assert.Equal(
            ["NAME", "HOST", "CPU(cores)", "CPU/REQUEST", "CPU/LIMIT", "MEMORY(bytes)", "MEMORY/REQUEST", "MEMORY/LIMIT", "WHY"], replicas[0]);
        Assert.Equal(["web-a", "top-1", "50m", "50%", "25%", "30Mi", "46%", "<none>"], replicas[1]);
        Assert.Equal(["web-b", "top-1", "150m", "150%", "75%", "50Mi", "78%", "<none>"], replicas[2]);
        Assert.Equal(["web-c", "top-2", "<unknown>"], replicas[3][..3]);
        Assert.Contains("top-2: ", replicas[3][^1], StringComparison.Ordinal);
        Assert.Equal("it has no container yet (Pending)", replicas[4][^1]);
        Assert.Equal("top-3 is not ready: it hangs", replicas[5][^1]);

        var apps = await RowsAsync("top", "apps", "-n", space, "--sort-by", "cpu");
        Assert.Equal(["web", "2/5", "200m", "100%", "50%", "80Mi", "62%", "<none>"], apps[1][..8]);
        Assert.StartsWith("3 of 5: ", apps[1][^1], StringComparison.Ordinal);
        Assert.Equal(["idle", "0/0", "0m", "<none>", "<none>", "0Mi", "<none>", "<none>", "-", "-", "-", "-", "-", "-"], apps[2]);

        var hosts = await RowsAsync("top", "hosts", "top-1", "top-2", "top-3");
        Assert.Equal(["NAME", "REPLICAS", "CPU(cores)", "CPU/CAPACITY", "MEMORY(bytes)", "MEMORY/CAPACITY", "WHY"], hosts[0]);
        Assert.Equal(["top-1", "2/3", "200m", "10%", "80Mi", "7%"], hosts[1][..6]);
        Assert.Equal(["top-2", "0/1", "<unknown>", "<none>", "<unknown>", "<none>"], hosts[2][..6]);
        Assert.Equal("top-3 is not ready: it hangs", hosts[3][^1]);

        var listed = (await RowsAsync("hosts", "list", "-l", "pool=top")).Single(row => row[0] == "top-1");
        Assert.Equal(("0.2", "80Mi"), (listed[7], listed[10]));
        await SeeOtherFormsAsync(space);
    }

    [Theory]
    [InlineData("top apps web -A", "a name goes with neither a selector nor --all-namespaces")]
    [InlineData("top hosts h1 -l zone=a", "a name does not go with a selector")]
    [InlineData("top apps --sort-by disk", "Argument 'disk' not recognized")]
    [InlineData("top replicas --sort-by requests", "Argument 'requests' not recognized")]
    public async Task A_wrong_command_line_is_told(string line, string says)
    {
        var command = await server.OrcAsync(line.Split(' '));

        Assert.Equal(2, command.ExitCode);
        Assert.Contains(says, command.Errors, StringComparison.Ordinal);
    }

    private async Task SeeOtherFormsAsync(string space)
    {
        var printed = JsonNode.Parse((await server.OrcAsync(["top", "replicas", "web-a", "-n", space, "-o", "json"])).OrThrow().Output)!["items"]![0]!;
        Assert.Equal(("ReplicaUsage", "top-1", "50000000n", $"{30 * Mebibyte}"), (
            (string?)printed["kind"], (string?)printed["hostName"], (string?)printed["usage"]!["cpu"], (string?)printed["usage"]!["memory"]));
        Assert.Equal(1, (double?)printed["windowSeconds"]);
        Assert.Equal("100000000n", (string?)printed["request"]!["cpu"]);

        var names = (await server.OrcAsync(["top", "replicas", "-n", space, "-o", "name", "--sort-by", "memory"])).OrThrow().Output;
        Assert.StartsWith("replica.orchestrator.dev/web-b\nreplica.orchestrator.dev/web-a\n", names, StringComparison.Ordinal);

        var missing = await server.OrcAsync(["top", "apps", "idle", "absent", "-n", space]);
        Assert.Equal(3, missing.ExitCode);
        Assert.Contains("idle", missing.Output, StringComparison.Ordinal);
        Assert.Contains("webapps.orchestrator.dev \"absent\" not found", missing.Errors, StringComparison.Ordinal);
    }

    private async Task ApplyAsync(string space, string manifests) => (await server.OrcAsync(["apply", "-f", "-", "-n", space], manifests)).OrThrow();

    private async Task<List<string[]>> RowsAsync(params string[] command) =>
        [.. (await server.OrcAsync(command)).OrThrow().Output.TrimEnd('\n').Split('\n').Select(line => Regex.Split(line.Trim(), " {2,}"))];

    private static string Host(string name, string endpoint) =>
        $"---\n{{apiVersion: orchestrator.dev/v1, kind: DockerHost, metadata: {{name: {name}, labels: {{pool: top}}}}, spec: {{endpoint: '{endpoint}', unschedulable: true}}}}\n";

    private static string App(string name) =>
        $"---\n{{apiVersion: orchestrator.dev/v1, kind: WebApp, metadata: {{name: {name}}}, spec: {{image: 'web:v1', replicas: 0}}}}\n";

    private static string Replica(string name, string host) => $$$"""
        ---
        {apiVersion: orchestrator.dev/v1, kind: Replica, metadata: {name: {{{name}}}, labels: {orchestrator.dev/app: web, orchestrator.dev/host: {{{host}}} } },
         spec: {appName: web, revision: abc, hostName: {{{host}}}, hostPort: 20000,
          template: {image: 'web:v1', port: 80, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m} } } } }

        """;
}
