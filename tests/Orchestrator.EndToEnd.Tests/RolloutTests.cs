using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>New versions come in, good and bad ones, while people visit; nobody notices.</summary>
public sealed class RolloutTests(SharedInstallation shared) : IClassFixture<SharedInstallation>
{
    /// <summary>Exit code of <c>orc</c>.</summary>
    private const int RolloutFailed = 7;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    // What makes the version bad, whether it serves for a while, what its rollout is given up for, and what of the reason people are told.
    public static TheoryData<string, string, bool, string, string> BadVersions => new()
    {
        { "crashes at once", """ "image": "{broken}" """, false, "CrashLoopBackOff", "its last words: broken as asked" },
        { "image missing", """ "image": "{missing}" """, false, "ImagePullBackOff", "web:none" },
        { "command missing", """ "command": ["/bin/nothing-there"] """, false, "RunContainerError", "/bin/nothing-there" },
        {
            "never ready", """ "command": ["/bin/sh", "-c", "touch /tmp/unhealthy; exec /bin/server"], "progressDeadlineSeconds": 6 """, false,
            "ProgressDeadlineExceeded", "statuscode: 503"
        },
        {
            "ready, then unready for good",
            """ "command": ["/bin/sh", "-c", "(sleep 4; touch /tmp/unhealthy) & exec /bin/server"], "minReadySeconds": 10, "progressDeadlineSeconds": 12 """,
            true, "ProgressDeadlineExceeded", "statuscode: 503"
        },
        {
            "ready, then exits", """ "command": ["/bin/sh", "-c", "/bin/server & sleep 3; exit 9"], "minReadySeconds": 20 """, true, "", "exit code 9"
        },
        {
            "exits after 20 s", """ "command": ["/bin/sh", "-c", "/bin/server & sleep 20; echo farewell; exit 9"], "minReadySeconds": 25 """, true,
            "KeepsRestarting", "exit code 9; its last words: farewell"
        },
    };

    [Fact]
    public async Task Versions_come_and_go_under_load_without_a_lost_request_also_over_a_crash_of_the_control_plane()
    {
        var installation = shared.Installation;
        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), replicas: 6));
        await installation.SeeReady("web", 6);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Version == "v1");

        await using var visitor = new Visitor(installation.Http, "web", people: 4);
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

        Assert.All(visitor.Failures, failure => Assert.Fail(failure));
        Assert.Equal(new HashSet<string> { "v1", "v2" }, visitor.Versions.ToHashSet());
        (await installation.OrcAsync("delete", "webapp", "web")).OrThrow();
    }

    [Theory]
    [MemberData(nameof(BadVersions))]
    public async Task A_bad_version_is_taken_back_and_nobody_notices(string what, string change, bool serves, string reason, string told)
    {
        var installation = shared.Installation;
        var app = what.Replace(",", "", StringComparison.Ordinal).Replace(' ', '-');
        await installation.ApplyAsync(Manifests.Web(app, installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady(app, 3);
        var before = (await installation.ContainersAsync(app)).Select(container => container.Id).Order().ToList();
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, app), page => page.Version == "v1");

        await using var visitor = new Visitor(installation.Http, app);
        change = change
            .Replace("{broken}", installation.Lab.Image("broken:v1"), StringComparison.Ordinal)
            .Replace("{missing}", installation.Lab.Image("web:none"), StringComparison.Ordinal);
        await installation.PatchAsync(app, $$"""{"env": [{"name": "VERSION", "value": "bad"}], {{change}}}""");
        var status = await installation.OrcAsync("rollout", "status", app, "--timeout", "90s");
        Assert.Equal(RolloutFailed, status.ExitCode);
        Assert.Contains(told, status.Errors, StringComparison.Ordinal);
        var takenBack = await Eventually.See(
            () => installation.GetAsync("webapp", app),
            seen => seen["status"]?["failedRollout"] is not null && seen["status"]!["updatedReplicas"]!.GetValue<int>() == 0,
            Limit);

        var failed = takenBack["status"]!["failedRollout"]!;
        Assert.True(reason.Length == 0 || reason == failed["reason"]!.GetValue<string>(), $"{what}: {failed}");
        Assert.Contains(told, failed["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("False RolledBack", Rollouts.Progressing(takenBack));
        Assert.Equal(takenBack["status"]!["updateRevision"]!.GetValue<string>(), failed["revision"]!.GetValue<string>());

        // The very containers that served before, and soon no other.
        await Eventually.See(
            () => installation.ContainersAsync(app), seen => seen.Select(container => container.Id).Order().SequenceEqual(before), Limit);
        Assert.All(visitor.Failures, failure => Assert.Fail($"{what}: {failure}"));
        Assert.Equal(serves, visitor.Versions.Contains("bad"));

        // What was taken back is no success, also for who asks later; and the way back to a whole world is one command.
        Assert.Equal(RolloutFailed, (await installation.OrcAsync("rollout", "status", app, "--watch=false")).ExitCode);
        (await installation.OrcAsync("rollout", "undo", app, "--wait", "--timeout", "30s")).OrThrow();
        Assert.Equal(before, (await installation.ContainersAsync(app)).Select(container => container.Id).Order());
        var events = (await installation.KubectlAsync("get", "events")).OrThrow().Output.Split('\n');
        Assert.Contains(events, line => line.Contains("RolledBack", StringComparison.Ordinal) && line.Contains($"/{app} ", StringComparison.Ordinal));
        (await installation.OrcAsync("delete", "webapp", app)).OrThrow();
    }
}
