using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>Where one more replica would go, from what the server has.</summary>
public sealed class ExplainPlacementTests(ServerFixture server)
{
    [Fact]
    public async Task Each_host_is_shown_with_its_rank_or_why_not()
    {
        var app = await AppWithTwoHostsAsync();

        var lines = (await app.OkAsync("explain-placement", "web")).Split('\n');

        Assert.Equal($"{AppUnderTest.Label}, revision {await app.RevisionAsync()}: one more replica would go to {app.Space}-a", lines[0]);
        Assert.Equal(["RANK", "HOST", "AVOIDED", "UNMET", "OF-REVISION", "OF-APP", "IN-DOMAINS", "FULLNESS", "WHY"], Cells(lines[2]));
        Assert.Equal(["1", $"{app.Space}-a", "0", "0", "0", "0", "0", "0", "best"], Cells(lines[3]));
        var cordoned = lines.Single(line => line.Contains($"{app.Space}-b", StringComparison.Ordinal));
        Assert.EndsWith("not: cordoned; insufficient memory", cordoned, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_programs_read_says_the_same()
    {
        var app = await AppWithTwoHostsAsync();

        var told = JsonNode.Parse(await app.OkAsync("explain-placement", "wa/web", "-o", "json"))!;

        Assert.Equal(
            (app.Space, "web", await app.RevisionAsync(), $"{app.Space}-a"),
            ((string?)told["namespace"], (string?)told["app"], (string?)told["revision"], (string?)told["host"]));
        var first = told["hosts"]![0]!;
        Assert.Equal(($"{app.Space}-a", 1, 0), ((string?)first["name"], (int?)first["rank"], (int?)first["score"]!["ofApp"]));
        var cordoned = told["hosts"]!.AsArray().Single(host => (string?)host!["name"] == $"{app.Space}-b")!;
        Assert.Equal(["cordoned", "insufficient memory"], cordoned["whyNot"]!.AsArray().Select(why => (string?)why));
        Assert.Contains($"host: {app.Space}-a\n", await app.OkAsync("explain-placement", "web", "-o", "yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replicas_of_other_namespaces_take_room_too()
    {
        var app = await AppWithTwoHostsAsync();
        var other = await server.NamespaceAsync();
        (await server.KubectlAsync(["create", "-n", other, "-f", "-"], $$$"""
            {apiVersion: orchestrator.dev/v1, kind: Replica, metadata: {name: big-1}, spec: {appName: big, revision: bcdfghjklm,
             hostName: {{{app.Space}}}-a, hostPort: 20000, template: {image: "big:1", resources: {requests: {memory: 7900Mi} } } } }
            """)).OrThrow();

        var told = JsonNode.Parse(await app.OkAsync("explain-placement", "web", "-o", "json"))!;

        Assert.Null(told["host"]);
        Assert.Contains("insufficient memory", (string?)told["message"], StringComparison.Ordinal);
    }

    /// <summary>Two hosts that the app may be on: one empty, one cordoned and too small.</summary>
    private async Task<AppUnderTest> AppWithTwoHostsAsync()
    {
        var space = await server.NamespaceAsync();
        var app = new AppUnderTest(server, space);
        await app.ApplyAsync($"image: 'web:v1', resources: {{requests: {{memory: 2Gi}}}}, placement: {{hostSelector: {{pool: {space}}}}}");
        foreach (var (name, unschedulable, memory) in new[] { ("a", "false", "8Gi"), ("b", "true", "1Gi") })
        {
            var host = $"{space}-{name}";
            (await server.OrcAsync(["apply", "-f", "-"], $$$"""
                {apiVersion: orchestrator.dev/v1, kind: DockerHost, metadata: {name: {{{host}}}, labels: {pool: {{{space}}}}},
                 spec: {endpoint: "tcp://127.0.0.1:1", unschedulable: {{{unschedulable}}}, capacity: {memory: {{{memory}}} } } }
                """)).OrThrow();
            await app.PatchStatusAsync("dh", host, new() { ["conditions"] = new JsonArray(AppUnderTest.Condition("Ready", true, "EngineAnswers", "")) });
        }

        return app;
    }

    private static string[] Cells(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
