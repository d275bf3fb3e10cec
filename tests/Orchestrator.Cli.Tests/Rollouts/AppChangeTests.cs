using System.Text.Json.Nodes;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Tests.Commands;

namespace Orchestrator.Cli.Tests.Rollouts;

public sealed class AppChangeTests(ServerFixture server)
{
    [Fact]
    public async Task A_change_is_decided_anew_when_somebody_writes_in_between()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var configuration = KubeconfigChoice.Find(server.Kubeconfig, static _ => null, "", "").Load(null);
        using var terminal = new Terminal();
        using var api = new ApiConnection(configuration, terminal.Warn);
        var session = new Session(api, new ResourceCatalog(api), terminal, app.Space, NamespaceGiven: true, TimeProvider.System);
        var seen = new List<string?>();

        await new AppChange(session, dryRun: false).ApplyAsync(
            await AppArgument.FindAsync("web", session, TestContext.Current.CancellationToken),
            async live =>
            {
                seen.Add((string?)live["spec"]!["image"]);
                if (seen.Count == 1)
                {
                    await app.OkAsync("set", "image", "web", "web:theirs");
                }

                return new SpecChange(new JsonObject { ["port"] = 80 }, "changed");
            },
            TestContext.Current.CancellationToken);

        Assert.Equal(["web:v1", "web:theirs"], seen);
        Assert.Equal(("web:theirs", 80), ((string?)(await app.SpecAsync())["image"], (int?)(await app.SpecAsync())["port"]));
    }
}
