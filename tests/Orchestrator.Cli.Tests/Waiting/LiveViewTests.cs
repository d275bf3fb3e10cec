using System.Text.Json.Nodes;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Waiting;

/// <summary>What waiting looks like, on a terminal (script(1) has one) and off it.</summary>
public sealed class LiveViewTests(ServerFixture server)
{
    [Fact]
    public async Task A_terminal_shows_each_replica_and_a_pipe_does_not()
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.ObserveAsync(new JsonObject { ["replicas"] = 2, ["readyReplicas"] = 1, ["updatedReplicas"] = 2 });
        await ReplicaAsync(app, "web-a", "host-1", new JsonObject { ["phase"] = "Running", ["ready"] = true });
        await ReplicaAsync(app, "web-b", "host-2", new JsonObject { ["phase"] = "BackOff", ["reason"] = "ErrImagePull" });
        var shown = await OnTerminalAsync(app, "5s");
        var piped = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");

        Assert.Equal((ExitCodes.TimedOut, ExitCodes.TimedOut), (shown.ExitCode, piped.ExitCode));
        var text = System.Text.RegularExpressions.Regex.Replace(shown.Output, "\e\\[[0-9;?]*[A-Za-z]", "");
        Assert.Matches($"{AppUnderTest.Label}: 1 of 3 replicas ready[^\n]*\n  web-b +host-2 +BackOff: ErrImagePull +[0-9]+s +revision1 *\r?\n  web-a +host-1 +Ready +[0-9]+s +revision1", text);
        Assert.DoesNotContain("web-b", piped.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", piped.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_too_it_is_told_that_all_are_ready()
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.ObserveAsync(AppUnderTest.Complete(await app.RevisionAsync()));

        var shown = await OnTerminalAsync(app, "30s");

        Assert.Contains($"{AppUnderTest.Label}: 3 replicas ready", shown.OrThrow().Output, StringComparison.Ordinal);
        Assert.EndsWith($"{AppUnderTest.Label} rolled out\r\n", shown.Output, StringComparison.Ordinal);
    }

    private Task<Command> OnTerminalAsync(AppUnderTest app, string timeout)
    {
        var line = $"stty cols 160 rows 40; TERM=xterm '{ServerFixture.OrcPath}' rollout status web --timeout {timeout} -n {app.Space} --kubeconfig '{server.Kubeconfig}'";
        return Command.RunAsync("script", ["-qec", line, "/dev/null"], cancellationToken: TestContext.Current.CancellationToken);
    }

    private async Task ReplicaAsync(AppUnderTest app, string name, string host, JsonObject status)
    {
        var manifest = $"{{apiVersion: orchestrator.dev/v1, kind: Replica, metadata: {{name: {name}, labels: {{orchestrator.dev/app: web}}}}, "
            + $"spec: {{appName: web, revision: revision1, template: {{image: x}}, hostName: {host}, hostPort: 20000}}}}";
        (await server.OrcAsync(["apply", "-f", "-", "-n", app.Space], manifest)).OrThrow();
        await app.PatchStatusAsync("replica", name, status);
    }
}
