using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>New versions that are bad, each in its way, come in while people visit; nobody notices.</summary>
public sealed class BadVersionTests(BadVersionTests.AllAtOnce all) : IClassFixture<BadVersionTests.AllAtOnce>
{
    /// <summary>Exit code of <c>orc</c>.</summary>
    private const int RolloutFailed = 7;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Each of the apps is visited at the same time, beside containers that are started again and again: some 70 visits a second in all.</summary>
    private static readonly TimeSpan PauseOfVisitors = TimeSpan.FromMilliseconds(200);

    private static readonly Bad[] BadVersions =
    [
        // A crash loop, or, on engines that take seconds for each start, restarts too many.
        new("crashes-at-once", """ "image": "{broken}" """, false, "", "exit code 1; its last words: broken as asked"),
        new("image-missing", """ "image": "{missing}" """, false, "ImagePullBackOff", "web:none"),
        new("command-missing", """ "command": ["/bin/nothing-there"] """, false, "RunContainerError", "/bin/nothing-there"),
        new(
            "never-ready", """ "command": ["/bin/sh", "-c", "touch /tmp/unhealthy; exec /bin/server"], "progressDeadlineSeconds": 15 """, false,
            "ProgressDeadlineExceeded", "statuscode: 503"),
        new(
            "ready-then-unready-for-good",
            """ "command": ["/bin/sh", "-c", "(sleep 8; touch /tmp/unhealthy) & exec /bin/server"], "minReadySeconds": 15, "progressDeadlineSeconds": 20 """,
            true, "ProgressDeadlineExceeded", "statuscode: 503"),
        new("ready-then-exits", """ "command": ["/bin/sh", "-c", "/bin/server & sleep 8; exit 9"], "minReadySeconds": 20 """, true, "", "exit code 9"),
        new(
            "exits-after-20-s", """ "command": ["/bin/sh", "-c", "/bin/server & sleep 20; echo farewell; exit 9"], "minReadySeconds": 25 """, true,
            "KeepsRestarting", "exit code 9; its last words: farewell"),
    ];

    public static TheoryData<string> Apps => [.. BadVersions.Select(bad => bad.App)];

    /// <param name="Change">JSON: what makes the version bad.</param>
    /// <param name="Serves">Whether it answers people for a while.</param>
    /// <param name="Reason">What its rollout is given up for; empty when it may be one thing or another.</param>
    /// <param name="Told">What of the reason people are told.</param>
    private sealed record Bad(string App, string Change, bool Serves, string Reason, string Told);

    /// <summary>One app for each bad version, in one installation and side by side: it takes its time until a version shows how bad it is.</summary>
    public sealed class AllAtOnce : IAsyncLifetime
    {
        private readonly Dictionary<string, Task> _courses = [];
        private Installation? _installation;

        public async ValueTask InitializeAsync()
        {
            _installation = await Installation.StartAsync();
            foreach (var bad in BadVersions)
            {
                _courses[bad.App] = TakenBackAsync(_installation, bad);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Task.WhenAll(_courses.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _installation!.DisposeAsync();
        }

        /// <summary>Until that app's version has been taken back.</summary>
        internal Task CourseOf(string app) => _courses[app];
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public Task A_bad_version_is_taken_back_and_nobody_notices(string app) => all.CourseOf(app);

    private static async Task TakenBackAsync(Installation installation, Bad bad)
    {
        var app = bad.App;
        await installation.ApplyAsync(Manifests.Web(app, installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady(app, 3);
        var before = (await installation.ContainersAsync(app)).Select(container => container.Id).Order().ToList();
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, app), page => page.Version == "v1");

        await using var visitor = installation.Visit(app, pause: PauseOfVisitors);
        var change = bad.Change
            .Replace("{broken}", installation.Lab.Image("broken:v1"), StringComparison.Ordinal)
            .Replace("{missing}", installation.Lab.Image("web:none"), StringComparison.Ordinal);
        await installation.PatchAsync(app, $$"""{"env": [{"name": "VERSION", "value": "bad"}], {{change}}}""");
        var status = await installation.OrcAsync("rollout", "status", app, "--timeout", "90s");
        Assert.Equal(RolloutFailed, status.ExitCode);
        Assert.Contains(bad.Told, status.Errors, StringComparison.Ordinal);
        var takenBack = await Eventually.See(
            () => installation.GetAsync("webapp", app),
            seen => seen["status"]?["failedRollout"] is not null && seen["status"]!["updatedReplicas"]!.GetValue<int>() == 0,
            Limit);

        var failed = takenBack["status"]!["failedRollout"]!;
        Assert.True(bad.Reason.Length == 0 || bad.Reason == failed["reason"]!.GetValue<string>(), $"{failed}");
        Assert.Contains(bad.Told, failed["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("False RolledBack", Rollouts.Progressing(takenBack));
        Assert.Equal(takenBack["status"]!["updateRevision"]!.GetValue<string>(), failed["revision"]!.GetValue<string>());

        // The very containers that served before, and soon no other.
        await Eventually.See(
            () => installation.ContainersAsync(app), seen => seen.Select(container => container.Id).Order().SequenceEqual(before), Limit);
        await visitor.NoneFailedAsync();
        Assert.Equal(bad.Serves, visitor.Versions.Contains("bad"));

        // What was taken back is no success, also for who asks later; and the way back to a whole world is one command.
        Assert.Equal(RolloutFailed, (await installation.OrcAsync("rollout", "status", app, "--watch=false")).ExitCode);
        (await installation.OrcAsync("rollout", "undo", app, "--wait", "--timeout", "30s")).OrThrow();
        Assert.Equal(before, (await installation.ContainersAsync(app)).Select(container => container.Id).Order());
        var events = (await installation.KubectlAsync("get", "events")).OrThrow().Output.Split('\n');
        Assert.Contains(events, line => line.Contains("RolledBack", StringComparison.Ordinal) && line.Contains($"/{app} ", StringComparison.Ordinal));
        (await installation.OrcAsync("delete", "webapp", app)).OrThrow();
    }
}
