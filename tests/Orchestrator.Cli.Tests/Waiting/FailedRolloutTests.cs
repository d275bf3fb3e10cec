using System.Text.Json.Nodes;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Waiting;

/// <summary>The last words of the replicas of a rollout that failed.</summary>
public sealed class FailedRolloutTests(ServerFixture server)
{
    [Fact]
    public async Task The_last_lines_of_the_first_replicas_that_failed_are_shown()
    {
        await using var engine = await StubEngine.StartAsync(new()
        {
            ["c1"] = [.. Enumerable.Range(1, 12).Select(number => $"line {number}")],
            ["c3"] = ["no database"],
            ["c4"] = ["one too many"],
            ["cold"] = ["of another revision"],
            ["cready"] = ["ready"],
        });
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.RevisionAsync();
        await app.OkAsync("set", "image", "web", "web:v2");
        var failed = await app.RevisionAsync();
        (await server.OrcAsync(["hosts", "add", "stub", "--endpoint", engine.Endpoint, "--no-check"])).OrThrow();
        await ReplicaAsync(app, "web-ready", failed, "cready", ready: true);
        await ReplicaAsync(app, "web-old", stable, "cold");
        await ReplicaAsync(app, "web-x1", failed, "c1");
        await ReplicaAsync(app, "web-x2", failed, "gone");
        await ReplicaAsync(app, "web-x3", failed, "c3");
        await ReplicaAsync(app, "web-x4", failed, "c4");
        await app.ObserveAsync(AppUnderTest.RolledBack(stable, failed));

        var told = await app.OrcAsync("rollout", "status", "web", "--timeout", "30s");
        (await server.OrcAsync(["hosts", "remove", "stub"])).OrThrow();

        Assert.Equal((ExitCodes.RolloutFailed, ""), (told.ExitCode, told.Output));
        var lines = told.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([.. Enumerable.Range(3, 10).Select(number => $"web-x1 | line {number}"), "web-x3 | no database"], lines[..^1]);
        Assert.Contains("CrashLoopBackOff: exit code 3: no database", lines[^1], StringComparison.Ordinal);
    }

    private async Task ReplicaAsync(AppUnderTest app, string name, string revision, string container, bool ready = false)
    {
        var manifest = $"{{apiVersion: orchestrator.dev/v1, kind: Replica, metadata: {{name: {name}, labels: {{orchestrator.dev/app: web, orchestrator.dev/revision: {revision}}}}}, "
            + $"spec: {{appName: web, revision: {revision}, template: {{image: x}}, hostName: stub, hostPort: 20000}}}}";
        (await server.OrcAsync(["apply", "-f", "-", "-n", app.Space], manifest)).OrThrow();
        await app.PatchStatusAsync("replica", name, new JsonObject { ["containerId"] = container, ["ready"] = ready });
    }
}
