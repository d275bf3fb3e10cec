using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>The main job on three real engines: apply, answer, scale, delete.</summary>
public sealed class MainJobTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    [Fact]
    public async Task An_app_is_applied_answers_from_every_replica_scales_and_goes_without_a_trace()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("web", 3);

        Assert.Equal(["host1", "host2", "host3"], (await installation.ContainersAsync("web")).Select(container => container.Host).Order());
        await SeeAllAnswer(installation, 3);

        (await installation.KubectlAsync("scale", "webapp", "web", "--replicas", "10")).OrThrow();
        await installation.SeeReady("web", 10);
        await SeeAllAnswer(installation, 10);
        Assert.All((await installation.ContainersAsync("web")).GroupBy(container => container.Host), onHost => Assert.InRange(onHost.Count(), 3, 4));

        (await installation.OrcAsync("scale", "web", "--replicas", "0")).OrThrow();
        await installation.SeeReady("web", 0);
        await Eventually.See(() => installation.ContainersAsync("web"), seen => seen.Count == 0);
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => Visitor.OnceAsync(installation.Http, "web"));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, refused.StatusCode);

        (await installation.OrcAsync("scale", "web", "--replicas", "3")).OrThrow();
        await installation.SeeReady("web", 3);
        await SeeAllAnswer(installation, 3);

        (await installation.KubectlAsync("delete", "webapp", "web", "--timeout", "60s")).OrThrow();
        Assert.Empty(await installation.ContainersAsync("web"));
        Assert.Empty(await installation.ReplicasAsync("web"));
    }

    [Fact]
    public async Task Scaling_under_load_loses_no_request()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("site", installation.Lab.Image("web:v1"), replicas: 4));
        await installation.SeeReady("site", 4);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "site"), page => page.Version == "v1");

        await using var visitor = installation.Visit("site");
        foreach (var replicas in new[] { 8, 2, 6, 1, 4 })
        {
            (await installation.OrcAsync("scale", "site", "--replicas", $"{replicas}")).OrThrow();
            await installation.SeeReady("site", replicas);
            await Eventually.See(() => installation.ContainersAsync("site"), seen => seen.Count == replicas);
        }

        await visitor.NoneFailedAsync();
        Assert.True(visitor.Answered > 50, $"only {visitor.Answered} requests were made");
    }

    private static async Task SeeAllAnswer(Installation installation, int replicas)
    {
        var answered = new HashSet<string>();
        await Eventually.See(
            async () =>
            {
                answered.Add((await Visitor.OnceAsync(installation.Http, "web")).Replica);
                return answered.Count;
            },
            seen => seen == replicas,
            TimeSpan.FromSeconds(60));
    }
}
