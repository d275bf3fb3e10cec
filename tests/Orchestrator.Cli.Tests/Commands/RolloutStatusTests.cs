using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>When a rollout counts as complete, as failed, and as under way, for all commands that wait for one.</summary>
public sealed class RolloutStatusTests(ServerFixture server)
{
    [Fact]
    public async Task Status_follows_until_the_rollout_is_complete()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var revision = await app.RevisionAsync();
        var following = app.OrcAsync("rollout", "status", "web", "--timeout", "30s");

        await app.ObserveAsync(AppUnderTest.Complete(revision));

        var followed = (await following).OrThrow();
        Assert.Equal($"{AppUnderTest.Label} rolled out\n", followed.Output);
        Assert.Contains($"{AppUnderTest.Label}: 3 replicas ready", followed.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_can_look_once()
    {
        var app = await AppUnderTest.CreateAsync(server);
        Assert.Equal($"{AppUnderTest.Label}: the controller has not seen it yet\n", await app.OkAsync("rollout", "status", "web", "--watch=false"));

        await app.ObserveAsync(AppUnderTest.Complete(await app.RevisionAsync()));

        Assert.Equal($"{AppUnderTest.Label}: 3 replicas ready\n", await app.OkAsync("rollout", "status", "web", "-w=false"));
    }

    /// <summary>Each is one thing away from complete.</summary>
    [Theory]
    [InlineData("2 of 3 replicas ready", """{"readyReplicas":2}""")]
    [InlineData("3 of 3 replicas ready, 2 up to date", """{"updatedReplicas":2}""")]
    [InlineData("3 of 3 replicas ready, 1 to go", """{"replicas":4}""")]
    [InlineData("3 of 3 replicas ready", """{"updateRevision":"other"}""")]
    [InlineData("3 of 3 replicas ready", """{"conditions":[]}""")]
    public async Task What_is_not_complete_is_waited_for(string says, string difference)
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.ObserveAsync(AppUnderTest.Complete(await app.RevisionAsync()));
        await app.PatchStatusAsync("wa", "web", JsonNode.Parse(difference)!.AsObject());

        var late = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");

        Assert.Equal((ExitCodes.TimedOut, ""), (late.ExitCode, late.Output));
        Assert.EndsWith($"did not become ready within 300ms: {AppUnderTest.Label}: {says}\n", late.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replicas_that_have_not_been_ready_for_long_enough_are_waited_for()
    {
        var app = await AppUnderTest.CreateAsync(server, "image: 'web:v1', replicas: 3, minReadySeconds: 20");
        var status = AppUnderTest.Complete(await app.RevisionAsync());
        status["availableReplicas"] = 1;
        await app.ObserveAsync(status);

        var late = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");
        await app.PatchStatusAsync("wa", "web", new JsonObject { ["availableReplicas"] = 3 });

        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.Contains("3 of 3 replicas ready, 1 of them for 20 s", late.Errors, StringComparison.Ordinal);
        await app.OkAsync("rollout", "status", "web", "--timeout", "30s");
    }

    [Fact]
    public async Task A_rollout_that_was_taken_back_is_a_failure_for_every_command_that_waits_for_it()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.RevisionAsync();
        await app.OkAsync("set", "image", "web", "web:v2");
        var failed = await app.RevisionAsync();
        await app.ObserveAsync(AppUnderTest.RolledBack(stable, failed));
        void Fails(Command command, string output)
        {
            Assert.Equal((ExitCodes.RolloutFailed, output), (command.ExitCode, command.Output));
            Assert.EndsWith(
                $"error: {AppUnderTest.Label}: the rollout of revision {failed} failed (taken back: it runs revision {stable}): CrashLoopBackOff: exit code 3: no database\n",
                command.Errors, StringComparison.Ordinal);
        }

        Fails(await app.OrcAsync("rollout", "status", "web", "--timeout", "30s"), "");
        Fails(await app.OrcAsync("rollout", "status", "web", "--watch=false"), "");
        Fails(await app.OrcAsync("scale", "web", "--replicas", "3", "--wait"), $"{AppUnderTest.Label} scaled\n");
        Fails(await app.OrcAsync("set", "image", "web", "web:v2", "--wait"), $"{AppUnderTest.Label} unchanged\n");
        Fails(await app.ApplyAndWaitAsync("image: 'web:v2', replicas: 3", "30s"), $"{AppUnderTest.Label} configured\n");
    }

    [Fact]
    public async Task A_rollout_that_fails_while_it_is_waited_for_ends_the_waiting()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.RevisionAsync();
        await app.ObserveAsync(AppUnderTest.Complete(stable));
        var waiting = app.ApplyAndWaitAsync("image: 'web:v2', replicas: 3", "30s");
        await Eventually.True(async () => await app.RevisionAsync() != stable);

        await app.ObserveAsync(AppUnderTest.RolledBack(stable, await app.RevisionAsync()));

        Assert.Equal(ExitCodes.RolloutFailed, (await waiting).ExitCode);
    }

    [Fact]
    public async Task A_rollout_that_failed_with_nothing_to_go_back_to_is_a_failure()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var revision = await app.RevisionAsync();
        await app.ObserveAsync(new JsonObject
        {
            ["updateRevision"] = revision,
            ["conditions"] = new JsonArray(AppUnderTest.Condition("Progressing", false, "ProgressDeadlineExceeded", "0 of 3 available within 600 s")),
        });

        var failed = await app.OrcAsync("rollout", "status", "web", "--timeout", "30s");

        Assert.Equal(ExitCodes.RolloutFailed, failed.ExitCode);
        Assert.Contains($"the rollout of revision {revision} failed: ProgressDeadlineExceeded: 0 of 3 available within 600 s\n", failed.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_over_once_the_spec_asks_for_something_else()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.RevisionAsync();
        await app.OkAsync("set", "image", "web", "web:v2");
        await app.ObserveAsync(AppUnderTest.RolledBack(stable, await app.RevisionAsync()));

        await app.OkAsync("set", "image", "web", "web:v1");
        Assert.Contains("has not seen it yet", await app.OkAsync("rollout", "status", "web", "--watch=false"), StringComparison.Ordinal);
        var complete = AppUnderTest.Complete(stable);
        complete.Remove("failedRollout");
        await app.ObserveAsync(complete);

        Assert.Equal($"{AppUnderTest.Label} rolled out\n", await app.OkAsync("rollout", "status", "web", "--timeout", "30s"));
    }

    [Fact]
    public async Task What_cannot_be_created_may_still_come()
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.ObserveAsync(new JsonObject { ["conditions"] = new JsonArray(AppUnderTest.Condition("Progressing", false, "FailedCreate", "quota exceeded")) });

        var late = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");

        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.Contains("0 of 3 replicas ready, 0 up to date: quota exceeded\n", late.Errors, StringComparison.Ordinal);
    }

    /// <summary>Regression: by the counts all is well, of the revision before.</summary>
    [Fact]
    public async Task A_rollout_that_waits_for_what_it_refers_to_is_not_complete()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var status = AppUnderTest.Complete(await app.RevisionAsync());
        status["conditions"]![1] = AppUnderTest.Condition("Progressing", false, "ConfigurationNotFound", "ConfigMap \"settings\" not found");
        await app.ObserveAsync(status);

        var late = await app.OrcAsync("rollout", "status", "web", "--timeout", "300ms");

        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.Contains("3 of 3 replicas ready: ConfigMap \"settings\" not found\n", late.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_that_does_worse_and_is_not_taken_back_is_a_failure()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.RevisionAsync();
        await app.OkAsync("set", "image", "web", "web:v2");
        var status = AppUnderTest.Canary(stable, await app.RevisionAsync(), 0, "CanaryErrors", "too many errors");
        status["conditions"]![1]!["status"] = "False";
        await app.ObserveAsync(status);

        var failed = await app.OrcAsync("rollout", "status", "web", "--timeout", "30s");

        Assert.Equal(ExitCodes.RolloutFailed, failed.ExitCode);
        Assert.Contains("failed: CanaryErrors: too many errors\n", failed.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_wanted_replicas_another_revision_is_nothing_to_wait_for()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.RevisionAsync();
        await app.OkAsync("scale", "web", "--replicas", "0");
        await app.OkAsync("set", "image", "web", "web:v2");
        var status = AppUnderTest.Complete(stable, replicas: 0);
        status["updateRevision"] = await app.RevisionAsync();
        await app.ObserveAsync(status);

        Assert.Equal($"{AppUnderTest.Label} rolled out\n", await app.OkAsync("rollout", "status", "web", "--timeout", "30s"));
    }

    [Fact]
    public async Task A_paused_rollout_is_waited_for_and_says_how_it_goes_on()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var revision = await app.RevisionAsync();
        await app.OkAsync("rollout", "pause", "web");
        await app.ObserveAsync(AppUnderTest.Complete(revision));
        Assert.Contains("3 replicas ready", await app.OkAsync("rollout", "status", "web", "--watch=false"), StringComparison.Ordinal);

        await app.OkAsync("set", "image", "web", "web:v2");
        await app.ObserveAsync(AppUnderTest.Complete(revision));
        var held = await app.OrcAsync("rollout", "status", "web", "--timeout", "2s");
        await app.ObserveAsync(new JsonObject { ["updateRevision"] = await app.RevisionAsync(), ["updatedReplicas"] = 1 });
        var midway = await app.OrcAsync("rollout", "status", "web", "--timeout", "2s");

        Assert.Equal(ExitCodes.TimedOut, held.ExitCode);
        Assert.Contains($"{AppUnderTest.Label}: paused, and a change of the template waits; `orc rollout resume web` lets it go on\n", held.Errors, StringComparison.Ordinal);
        Assert.Contains("3 of 3 replicas ready, 1 up to date: paused; `orc rollout resume web` lets it go on\n", midway.Errors, StringComparison.Ordinal);
    }
}
