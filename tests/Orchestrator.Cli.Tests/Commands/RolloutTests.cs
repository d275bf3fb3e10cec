using System.Text.Json.Nodes;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>Holding, repeating and taking back rollouts: what they write into the spec.</summary>
public sealed class RolloutTests(ServerFixture server)
{
    [Fact]
    public async Task Undo_makes_the_template_the_one_before_to_the_last_field_and_leaves_the_rest()
    {
        var app = await AppUnderTest.CreateAsync(
            server, "image: 'web:v1', replicas: 3, readinessProbe: {httpGet: {path: /ready}}, resources: {limits: {cpu: '1'}}, env: [{name: A, value: a}, {name: B, value: b}]");
        var (first, spec) = (await app.KeepAsync(1), GoJson.Write(await app.SpecAsync()));
        await app.ApplyAsync(
            "image: 'web:v2', replicas: 3, args: [x], readinessProbe: {tcpSocket: {}}, resources: {limits: {memory: 1Gi}}, env: [{name: B, value: c}]");
        await app.KeepAsync(2);
        await app.OkAsync("scale", "web", "--replicas", "7");

        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 1\n", await app.OkAsync("rollout", "undo", "web"));

        Assert.Equal(first, await app.RevisionAsync());
        Assert.Equal(spec.Replace("\"replicas\":3", "\"replicas\":7", StringComparison.Ordinal), GoJson.Write(await app.SpecAsync()));
    }

    [Fact]
    public async Task Undo_takes_the_revision_that_is_asked_for()
    {
        var app = await ThreeRevisions();

        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 1\n", await app.OkAsync("rollout", "undo", "web", "--to-revision", "1"));
        Assert.Equal($"{AppUnderTest.Label} unchanged\n", await app.OkAsync("rollout", "undo", "web", "--to-revision", "1"));
        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 2 (server dry run)\n", await app.OkAsync("rollout", "undo", "web", "--to-revision", "2", "--dry-run=server"));

        Assert.Equal("web:v1", (string?)(await app.SpecAsync())["image"]);
    }

    [Fact]
    public async Task Undo_of_a_failed_rollout_goes_to_the_revision_that_runs()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var stable = await app.KeepAsync(1);
        await app.OkAsync("set", "image", "web", "web:v2");
        await app.KeepAsync(2);
        await app.OkAsync("set", "image", "web", "web:v3");
        var failed = await app.KeepAsync(3);
        await app.ObserveAsync(AppUnderTest.RolledBack(stable, failed));

        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 1\n", await app.OkAsync("rollout", "undo", "web"));

        Assert.Equal(stable, await app.RevisionAsync());
    }

    [Fact]
    public async Task Undo_says_why_it_cannot()
    {
        var app = await AppUnderTest.CreateAsync(server);
        async Task Refused(int exitCode, string says, params string[] more)
        {
            var refused = await app.OrcAsync(["rollout", "undo", "web", .. more]);
            Assert.Equal((exitCode, "", $"error: {says}\n"), (refused.ExitCode, refused.Output, refused.Errors));
        }

        await Refused(ExitCodes.Failed, $"{AppUnderTest.Label} has nothing to go back to: no revision but the present one is kept");
        await app.KeepAsync(1);
        await Refused(ExitCodes.Failed, $"{AppUnderTest.Label} has nothing to go back to: no revision but the present one is kept");
        await app.OkAsync("set", "image", "web", "web:v2");
        await app.KeepAsync(4);
        await Refused(ExitCodes.NotFound, $"{AppUnderTest.Label} has no revision 2; it has 1, 4", "--to-revision", "2");
        await app.OkAsync("rollout", "pause", "web");
        await Refused(ExitCodes.Failed, "cannot undo a paused rollout; resume it first with 'orc rollout resume web'");
    }

    [Fact]
    public async Task Undo_minds_only_the_apps_own_revisions()
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.ApplyAsync("image: 'web:v1'", "other");
        await app.KeepAsync(1, owner: "other");
        await app.OkAsync("set", "image", "web", "web:v2");

        Assert.Contains("nothing to go back to", (await app.OrcAsync("rollout", "undo", "web")).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Undo_asks_for_the_content_of_then_with_the_template_and_takes_that_back_where_it_is_the_same()
    {
        var app = await AppUnderTest.CreateAsync(server, Referring);
        var first = await app.KeepAsync(1, contentHash: "aaaa");
        var second = await app.KeepAsync(2, contentHash: "bbbb");
        await app.ObserveAsync(Seeing(second, "bbbb"));
        var spec = GoJson.Write(await app.SpecAsync());

        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 1\n", await app.OkAsync("rollout", "undo", "web"));
        Assert.Equal($"{first}/aaaa/bbbb", await StandInAsync(app));
        Assert.Equal(spec, GoJson.Write(await app.SpecAsync()));

        // It is asked for already, though the controller has not seen it.
        Assert.Equal($"{AppUnderTest.Label} unchanged\n", await app.OkAsync("rollout", "undo", "web", "--to-revision", "1"));
        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 2\n", await app.OkAsync("rollout", "undo", "web"));
        Assert.Null(await StandInAsync(app));
    }

    [Fact]
    public async Task Undo_to_another_template_brings_its_content_too()
    {
        var app = await AppUnderTest.CreateAsync(server, Referring);
        var first = await app.KeepAsync(1, contentHash: "aaaa");
        await app.OkAsync("set", "image", "web", "web:v2");
        var second = await app.KeepAsync(2, contentHash: "bbbb");
        await app.ObserveAsync(Seeing(second, "bbbb"));

        Assert.Equal($"{AppUnderTest.Label} rolled back to revision 1\n", await app.OkAsync("rollout", "undo", "web"));
        Assert.Equal(($"{first}/aaaa/bbbb", "web:v1"), (await StandInAsync(app), (string?)(await app.SpecAsync())["image"]));
    }

    [Fact]
    public async Task Undo_is_waited_for_until_the_controller_has_seen_which_content_is_asked_for()
    {
        var app = await AppUnderTest.CreateAsync(server, Referring);
        await app.KeepAsync(1, contentHash: "aaaa");
        var second = await app.KeepAsync(2, contentHash: "bbbb");
        await app.ObserveAsync(Seeing(second, "bbbb"));

        // Its status is complete, of the revision that is to go.
        var waited = await app.OrcAsync("rollout", "undo", "web", "--wait", "--timeout", "1s");
        Assert.Equal(ExitCodes.TimedOut, waited.ExitCode);
        Assert.Contains("the controller has not seen it yet", waited.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_tells_the_hash_of_the_content_where_there_is_one()
    {
        var app = await AppUnderTest.CreateAsync(server, Referring);
        var first = await app.KeepAsync(1, contentHash: "aaaa");
        var second = await app.KeepAsync(2);
        await app.ObserveAsync(Seeing(first, "aaaa"));

        var rows = (await app.OkAsync("rollout", "history", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(["REVISION", "HASH", "IMAGE", "CONTENT", "AGE", "STATE"], rows[0]);
        Assert.Equal(["1", first, "web:v1", "aaaa", "current,wanted"], [.. rows[1][..4], rows[1][5]]);
        Assert.Equal(["2", second, "web:v1", "-", "-"], [.. rows[2][..4], rows[2][5]]);
        Assert.Contains("contentHash: aaaa\n", await app.OkAsync("rollout", "history", "web", "--revision", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_that_comes_from_elsewhere_is_shown_as_that_and_can_be_given_a_value()
    {
        var app = await AppUnderTest.CreateAsync(server, Referring);

        Assert.Equal("# LEVEL from configmap settings, key level\n# PASSWORD from secret db, key password\n", await app.OkAsync("set", "env", "web", "--list"));
        await app.OkAsync("set", "env", "web", "LEVEL=debug");
        Assert.Equal("LEVEL=debug\n# PASSWORD from secret db, key password\n", await app.OkAsync("set", "env", "web", "--list"));
    }

    private const string Referring = "image: 'web:v1', env: ["
        + "{name: LEVEL, valueFrom: {configMapKeyRef: {name: settings, key: level}}}, {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]";

    private static JsonObject Seeing(string revision, string contentHash)
    {
        var status = AppUnderTest.Complete(revision, replicas: 1);
        status["contentHash"] = contentHash;
        return status;
    }

    private static async Task<string?> StandInAsync(AppUnderTest app) => (string?)(await app.ReadAsync())["metadata"]?["annotations"]?["orchestrator.dev/content"];

    [Fact]
    public async Task Pause_and_resume_write_one_field_and_say_what_is_so_already()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var spec = GoJson.Write(await app.SpecAsync());

        Assert.Equal($"{AppUnderTest.Label} paused\n", await app.OkAsync("rollout", "pause", "webapp/web"));
        Assert.True((bool?)(await app.SpecAsync())["paused"]);
        var again = await app.OrcAsync("rollout", "pause", "web");
        Assert.Equal($"{AppUnderTest.Label} resumed\n", await app.OkAsync("rollout", "resume", "web"));
        var resumed = await app.OrcAsync("rollout", "resume", "web");

        Assert.Equal((ExitCodes.Failed, $"error: {AppUnderTest.Label} is already paused\n"), (again.ExitCode, again.Errors));
        Assert.Equal((ExitCodes.Failed, $"error: {AppUnderTest.Label} is not paused\n"), (resumed.ExitCode, resumed.Errors));
        Assert.Equal(spec, GoJson.Write(await app.SpecAsync()));
    }

    [Fact]
    public async Task Restart_is_a_new_revision_of_the_same_template()
    {
        var app = await AppUnderTest.CreateAsync(server);
        var (revision, spec) = (await app.RevisionAsync(), await app.SpecAsync());
        var before = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());

        Assert.Equal($"{AppUnderTest.Label} restarted\n", await app.OkAsync("rollout", "restart", "web"));

        var after = await app.SpecAsync();
        var moment = (string)after["restartedAt"]!;
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", moment);
        Assert.InRange(DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture), before, TimeProvider.System.GetUtcNow());
        Assert.NotEqual(revision, await app.RevisionAsync());
        after.AsObject().Remove("restartedAt");
        Assert.Equal(GoJson.Write(spec), GoJson.Write(after));
    }

    [Fact]
    public async Task Restart_goes_on_where_one_app_cannot()
    {
        var app = await AppUnderTest.CreateAsync(server);

        var partly = await app.OrcAsync("rollout", "restart", "none", "web");
        await app.OkAsync("rollout", "pause", "web");
        var paused = await app.OrcAsync("rollout", "restart", "web");
        var both = await app.OrcAsync("rollout", "restart", "web", "none");

        Assert.Equal((ExitCodes.NotFound, $"{AppUnderTest.Label} restarted\n"), (partly.ExitCode, partly.Output));
        Assert.Equal(
            (ExitCodes.Failed, "", $"error: cannot restart {AppUnderTest.Label} while it is paused; resume it first with 'orc rollout resume web'\n"),
            (paused.ExitCode, paused.Output, paused.Errors));
        Assert.Equal(ExitCodes.Failed, both.ExitCode);
    }

    [Fact]
    public async Task History_says_which_revision_is_which()
    {
        var app = await AppUnderTest.CreateAsync(server);
        Assert.Contains("has no revisions yet", (await app.OrcAsync("rollout", "history", "web")).OrThrow().Errors, StringComparison.Ordinal);
        var stable = await app.KeepAsync(1);
        await app.OkAsync("set", "image", "web", "web:v2");
        var failed = await app.KeepAsync(2);
        await app.ObserveAsync(AppUnderTest.RolledBack(stable, failed));

        var rows = (await app.OkAsync("rollout", "history", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();

        Assert.Equal(["REVISION", "HASH", "IMAGE", "AGE", "STATE"], rows[0]);
        Assert.Equal(["1", stable, "web:v1", "current"], [.. rows[1][..3], rows[1][4]]);
        Assert.Equal(["2", failed, "web:v2", "wanted,failed"], [.. rows[2][..3], rows[2][4]]);
    }

    [Fact]
    public async Task History_shows_the_template_of_one_revision()
    {
        var app = await ThreeRevisions();

        var yaml = await app.OkAsync("rollout", "history", "web", "--revision", "2");
        var json = JsonNode.Parse(await app.OkAsync("rollout", "history", "web", "--revision", "2", "-o", "json"))!;
        var missing = await app.OrcAsync("rollout", "history", "web", "--revision", "9");

        Assert.Contains("image: web:v2\n", yaml, StringComparison.Ordinal);
        Assert.DoesNotContain("replicas", yaml, StringComparison.Ordinal);
        Assert.Equal("web:v2", (string?)json["image"]);
        Assert.Equal((ExitCodes.NotFound, $"error: {AppUnderTest.Label} has no revision 9; it has 1, 2, 3\n"), (missing.ExitCode, missing.Errors));
        Assert.Equal(3, JsonNode.Parse(await app.OkAsync("rollout", "history", "web", "-o", "json"))!["items"]!.AsArray().Count);
        Assert.StartsWith("controllerrevision.apps/web-", await app.OkAsync("rollout", "history", "web", "--revision", "2", "-o", "name"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describe_says_how_the_rollout_stands_by_which_rules_it_goes_and_which_revisions_there_are()
    {
        var app = await AppUnderTest.CreateAsync(server, "image: 'web:v1', replicas: 10, minReadySeconds: 20");
        var stable = await app.KeepAsync(1);
        await app.OkAsync("set", "image", "web", "web:v2");
        var failed = await app.KeepAsync(2);
        await app.ObserveAsync(AppUnderTest.RolledBack(stable, failed));
        await app.PatchStatusAsync("wa", "web", new JsonObject { ["failedRollout"] = new JsonObject { ["message"] = "exit code 3:\nno database\n" } });

        var described = await app.OkAsync("describe", "wa", "web");

        Assert.Contains($"\nRollout: the rollout of revision {failed} failed (taken back: it runs revision {stable}): CrashLoopBackOff: exit code 3:\n  no database\n", described, StringComparison.Ordinal);
        Assert.Contains("\nStrategy: RollingUpdate, at most 3 more and 2 fewer than 10; new ones ready for 20s; failed after 10m without progress, then taken back\n", described, StringComparison.Ordinal);
        Assert.Matches($"\nRevisions:\n *REVISION +HASH +IMAGE +AGE +STATE\n1 +{stable} +web:v1 +[0-9a-z]+ +current\n2 +{failed} .* wanted,failed\n", described);
        Assert.Contains("\n    Message: exit code 3:\n      no database\n", described, StringComparison.Ordinal);
    }

    private async Task<AppUnderTest> ThreeRevisions()
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.KeepAsync(1);
        await app.OkAsync("set", "image", "web", "web:v2");
        await app.KeepAsync(2);
        await app.OkAsync("set", "image", "web", "web:v3");
        await app.KeepAsync(3);
        return app;
    }
}
