using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>New versions come in while people visit; nobody notices.</summary>
public sealed class RolloutTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    [Fact]
    public async Task Versions_come_and_go_under_load_without_a_lost_request_also_over_a_crash_of_the_control_plane()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), replicas: 6));
        await installation.SeeReady("web", 6);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Version == "v1");

        await using var visitor = installation.Visit("web", people: 4);
        for (var change = 0; change < 4; change++)
        {
            var version = change % 2 == 0 ? "v2" : "v1";
            await installation.PatchAsync("web", $$"""{"image": "{{installation.Lab.Image($"web:{version}")}}"}""");
            if (change == 1)
            {
                await Eventually.See(() => installation.GetAsync("webapp", "web"), app => app["status"]!["updatedReplicas"]?.GetValue<int>() is > 0 and < 6);
                await installation.KillAsync();
                await installation.ServeAsync();
            }

            await installation.SeeComplete("web");
            Assert.Equal(version, (await Visitor.OnceAsync(installation.Http, "web")).Version);
        }

        // The other way of making two versions take turns: a pause in the middle, and a scale in the pause.
        await installation.PatchAsync("web", $$"""{"image": "{{installation.Lab.Image("web:v2")}}"}""");
        await Eventually.See(() => installation.GetAsync("webapp", "web"), app => app["status"]!["updatedReplicas"]?.GetValue<int>() > 0);
        await installation.PatchAsync("web", """{"paused": true, "replicas": 8}""");
        await Eventually.See(() => installation.GetAsync("webapp", "web"), app => app["status"]!["readyReplicas"]?.GetValue<int>() >= 8);
        await installation.PatchAsync("web", """{"paused": null}""");
        await installation.SeeComplete("web");

        await visitor.NoneFailedAsync();
        Assert.Equal(new HashSet<string> { "v1", "v2" }, visitor.Versions.ToHashSet());
        (await installation.OrcAsync("delete", "webapp", "web")).OrThrow();
    }
}
