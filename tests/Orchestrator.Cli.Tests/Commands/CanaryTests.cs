using System.Text.Json.Nodes;
using Orchestrator.Api;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What a user asks of a canary under way, and what waiting for one means.</summary>
public sealed class CanaryTests(ServerFixture server)
{
    private const string Spec = "image: 'web:v1', replicas: 3, strategy: {type: Canary, canary: {steps: [{weight: 10}, {weight: 50, durationSeconds: 60}], analysis: {}}}";

    [Fact]
    public async Task Promote_names_the_revision_and_the_step_it_is_at()
    {
        var (app, tried) = await StartAsync(step: 0);

        Assert.Equal($"{AppUnderTest.Label} promoted past step 1 of 2\n", await app.OkAsync("rollout", "promote", "web"));
        Assert.Equal($"{tried}/0", await AnnotationAsync(app, Annotations.Promote));

        Assert.Equal($"{AppUnderTest.Label} promoted past all steps\n", await app.OkAsync("rollout", "promote", "web", "--full"));
        Assert.Equal($"{tried}/all", await AnnotationAsync(app, Annotations.Promote));
    }

    [Fact]
    public async Task Abort_names_the_revision()
    {
        var (app, tried) = await StartAsync(step: 1);
        var stable = (string?)(await app.ReadAsync())["status"]!["currentRevision"];

        Assert.Equal($"{AppUnderTest.Label} given up: revision {tried} goes, {stable} stays\n", await app.OkAsync("rollout", "abort", "web"));
        Assert.Equal(tried, await AnnotationAsync(app, Annotations.Abort));
    }

    [Fact]
    public async Task Both_say_why_they_cannot()
    {
        var app = await AppUnderTest.CreateAsync(server, Spec);
        async Task Refused(string verb, string says)
        {
            var refused = await app.OrcAsync("rollout", verb, "web");
            Assert.Equal((ExitCodes.Failed, "", $"error: {says}\n"), (refused.ExitCode, refused.Output, refused.Errors));
        }

        var none = $"{AppUnderTest.Label} has no canary under way; 'orc rollout status web' shows how its rollout stands";
        await Refused("promote", none);
        await Refused("abort", $"{AppUnderTest.Label} has no rollout under way; 'orc rollout undo web' goes back to the revision before");

        await app.ObserveAsync(new JsonObject { ["updateRevision"] = "first", ["rollout"] = new JsonObject { ["startedAt"] = "2026-01-01T00:00:00Z" } });
        await Refused("abort", $"{AppUnderTest.Label} has nothing to go back to: it is its first rollout");

        await app.ObserveAsync(AppUnderTest.Canary("stable", "tried", 2, "ReplicasUpdating", ""));
        await Refused("promote", none);

        await app.OkAsync("rollout", "pause", "web");
        await Refused("promote", $"cannot promote {AppUnderTest.Label} while it is paused; resume it first with 'orc rollout resume web'");
    }

    [Fact]
    public async Task One_that_waits_for_its_promotion_is_waited_for_no_longer()
    {
        var (app, tried) = await StartAsync(step: 0, says: "it has 10 %, until `orc rollout promote web`; new: 5 requests");

        var status = (await app.OrcAsync("rollout", "status", "web", "--timeout", "30s")).OrThrow();

        Assert.Equal($"{AppUnderTest.Label} waits for its promotion\n", status.Output);
        Assert.Equal($"{AppUnderTest.Label}: it has 10 %, until `orc rollout promote web`; new: 5 requests\n", status.Errors);

        // Told to go on, it has something before it again.
        await app.OkAsync("rollout", "promote", "web");
        var late = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");
        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);

        await app.ObserveAsync(AppUnderTest.Complete(tried));
        Assert.Equal($"{AppUnderTest.Label} rolled out\n", await app.OkAsync("rollout", "status", "web", "--timeout", "30s"));
    }

    [Fact]
    public async Task One_that_goes_on_by_itself_is_waited_for_and_told_without_its_numbers()
    {
        var (app, _) = await StartAsync(step: 1, "CanaryRuns", "it has 50 %, for 60 s; new: 5 requests");

        var late = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");

        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.EndsWith($"{AppUnderTest.Label}: it has 50 %, for 60 s\n", late.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describe_tells_the_steps_and_what_takes_it_back()
    {
        var app = await AppUnderTest.CreateAsync(server, Spec);

        Assert.Contains(
            "Strategy: Canary, 10 % until promoted, 50 % for 60s; taken back with 1 % more errors or 200 % of the latency, after 50 requests; RollingUpdate, at most 1 more and 0 fewer than 3",
            await app.OkAsync("describe", "wa", "web"), StringComparison.Ordinal);
    }

    private async Task<(AppUnderTest App, string Tried)> StartAsync(int step, string reason = "CanaryWaits", string says = "it waits")
    {
        var app = await AppUnderTest.CreateAsync(server, Spec);
        var stable = await app.RevisionAsync();
        await app.OkAsync("set", "image", "web", "web:v2");
        var tried = await app.RevisionAsync();
        await app.ObserveAsync(AppUnderTest.Canary(stable, tried, step, reason, says));
        return (app, tried);
    }

    private static async Task<string?> AnnotationAsync(AppUnderTest app, string name) => (string?)(await app.ReadAsync())["metadata"]!["annotations"]?[name];
}
