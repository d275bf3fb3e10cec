using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>Containers follow the people who visit, from none and back to none.</summary>
public sealed class AutoscalingTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    [Fact]
    public async Task Nobody_who_comes_finds_it_closed_more_come_with_the_crowd_and_all_go_after_it()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("elastic", installation.Lab.Image("web:v1"), replicas: 0, """
              autoscaling:
                minReplicas: 0
                maxReplicas: 3
                metrics:
                  - type: inFlight
                    target: {averageValue: 2}
                behavior:
                  scaleDown: {stabilizationWindowSeconds: 0}
            """));
        await installation.SeeReady("elastic", 0);

        // The first visitor waits, and is served.
        Assert.Equal("v1", (await Visitor.OnceAsync(installation.Http, "elastic")).Version);

        // Six at a time are three replicas' work.
        await using (var crowd = new Visitor(
            "form", async _ => (await Visitor.SendFormAsync(installation.Http, "elastic", TimeSpan.FromSeconds(1))).Version, people: 6))
        {
            await Eventually.See(() => installation.ContainersAsync("elastic"), containers => containers.Count == 3, TimeSpan.FromSeconds(60));
            await crowd.StopAsync();
            await crowd.NoneFailedAsync();
        }

        await Eventually.See(() => installation.ContainersAsync("elastic"), containers => containers.Count == 0, TimeSpan.FromSeconds(90));
        Assert.Equal("v1", (await Visitor.OnceAsync(installation.Http, "elastic")).Version);
    }

    [Fact]
    public async Task Processors_that_the_engines_say_are_busy_bring_more_and_their_rest_takes_them_away()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("busy", installation.Lab.Image("web:v1"), replicas: 1, """
              resources:
                requests: {cpu: 50m}
                limits: {cpu: 200m}
              autoscaling:
                minReplicas: 1
                maxReplicas: 2
                metrics:
                  - type: cpu
                    target: {averageUtilization: 80}
                behavior:
                  scaleDown: {stabilizationWindowSeconds: 0}
            """));
        await installation.SeeReady("busy", 1);
        await using (var crowd = new Visitor(
            "work", async cancellationToken => (await Visitor.HaveWorkDoneAsync(installation.Http, "busy", cancellationToken)).Version, people: 2))
        {
            await installation.SeeReady("busy", 2, TimeSpan.FromSeconds(120));
            await crowd.StopAsync();
            await crowd.NoneFailedAsync();
        }

        await Eventually.See(() => installation.ContainersAsync("busy"), containers => containers.Count == 1, TimeSpan.FromSeconds(120));
    }
}
