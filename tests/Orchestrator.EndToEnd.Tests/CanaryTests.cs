using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A new version is tried on a share of the people who visit.</summary>
public sealed class CanaryTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    /// <summary>Exit code of <c>orc</c>.</summary>
    private const int RolloutFailed = 7;

    private const int Visits = 600;

    [Fact]
    public async Task A_good_version_gets_its_share_and_then_all_of_it_and_nobody_notices()
    {
        var installation = await ApplyAsync("good", "{weight: 10}, {weight: 100}", "{minRequests: 20, maxLatencyPercent: 10000}");
        var waits = (await SetImageAsync("good", "web:v2")).OrThrow();
        Assert.Contains("has 10 % of the requests, step 1 of 2, until `orc rollout promote good`", waits.Errors, StringComparison.Ordinal);

        await using var visitor = installation.Visit("good", people: 1);
        var share = 0;
        for (var visit = 0; visit < Visits; visit++)
        {
            share += (await Visitor.OnceAsync(installation.Http, "good")).Version == "v2" ? 1 : 0;
        }

        // 60 expected, deviation 7.3; by their number, one of five replicas, it would be 120.
        Assert.InRange(share, 24, 96);
        var seen = await Eventually.See(
            () => installation.OrcAsync("rollout", "status", "good", "--watch=false"), status => status.Output.Contains("new: ", StringComparison.Ordinal));
        Assert.Contains("0 % failed", seen.Output, StringComparison.Ordinal);

        (await installation.OrcAsync("rollout", "promote", "good", "--wait", "--timeout", "60s")).OrThrow();
        for (var visit = 0; visit < 50; visit++)
        {
            Assert.Equal("v2", (await Visitor.OnceAsync(installation.Http, "good")).Version);
        }

        (await installation.OrcAsync("rollout", "promote", "good", "--wait", "--timeout", "60s")).OrThrow();
        await installation.SeeReady("good", 4);
        await Eventually.See(() => installation.ContainersAsync("good"), seen => seen.Count == 4);
        await visitor.NoneFailedAsync();
    }

    [Fact]
    public async Task A_version_that_looks_healthy_and_answers_with_errors_is_taken_back_by_what_the_proxy_sees()
    {
        var installation = await ApplyAsync("bad", "{weight: 25}", "{minRequests: 20, maxLatencyPercent: 10000}");
        var before = (await installation.ContainersAsync("bad")).Select(container => container.Id).Order().ToList();
        await using var visitor = installation.Visit("bad");
        (await installation.KubectlAsync(
            "patch", "webapp", "bad", "--type", "merge", "--patch",
            """{"spec": {"command": ["/bin/sh", "-c", "touch /tmp/failing; exec /bin/server"]}}""")).OrThrow();
        var status = await Eventually.See(
            () => installation.OrcAsync("rollout", "status", "bad", "--timeout", "60s"), ended => ended.ExitCode == RolloutFailed, TimeSpan.FromSeconds(90));

        Assert.Contains("CanaryErrors", status.Errors, StringComparison.Ordinal);
        await Eventually.See(
            () => installation.ContainersAsync("bad"), seen => seen.Select(container => container.Id).Order().SequenceEqual(before), TimeSpan.FromSeconds(60));

        // What its own share answered was lost, and nothing else.
        Assert.All(visitor.Failures, failure => Assert.StartsWith("500: failing as asked", failure, StringComparison.Ordinal));
        Assert.InRange(visitor.Failures.Count, 1, visitor.Answered);
    }

    [Fact]
    public async Task Given_up_its_replicas_go_and_the_rest_stays()
    {
        var installation = await ApplyAsync("given-up", "{weight: 100}", "{}");
        var before = (await installation.ContainersAsync("given-up")).Select(container => container.Id).Order().ToList();
        await using var visitor = installation.Visit("given-up");
        (await SetImageAsync("given-up", "web:v2")).OrThrow();
        Assert.Equal("v2", (await Visitor.OnceAsync(installation.Http, "given-up")).Version);

        (await installation.OrcAsync("rollout", "abort", "given-up")).OrThrow();
        await Eventually.See(
            () => installation.ContainersAsync("given-up"), seen => seen.Select(container => container.Id).Order().SequenceEqual(before), TimeSpan.FromSeconds(60));
        Assert.Equal("v1", (await Visitor.OnceAsync(installation.Http, "given-up")).Version);
        Assert.Equal(RolloutFailed, (await installation.OrcAsync("rollout", "status", "given-up")).ExitCode);
        await visitor.NoneFailedAsync();
    }

    private async Task<Installation> ApplyAsync(string app, string steps, string analysis)
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web(
            app, installation.Lab.Image("web:v1"), replicas: 4, $"  strategy: {{type: Canary, canary: {{steps: [{steps}], analysis: {analysis}}}}}"));
        await installation.SeeReady(app, 4);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, app), page => page.Version == "v1");
        return installation;
    }

    private Task<Command> SetImageAsync(string app, string image) => shared.Installation.OrcAsync(
        "set", "image", app, shared.Installation.Lab.Image(image), "--wait", "--timeout", "90s");
}
