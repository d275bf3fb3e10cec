using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Hosts;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>Which changes of a status are written at once and which together, by a clock of the test's own.</summary>
public sealed class StatusWriterTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_change_and_the_final_one_are_written_at_once_and_what_is_between_after_a_pause()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        var time = new FakeTimeProvider();
        await using var events = new EventRecorder(cluster.Kubernetes, "test", NullLoggerFactory.Instance, time);
        var writer = new WebAppStatusWriter(cluster.Api.WebApps, cluster.Api.WebAppClient, events, time);
        await cluster.ApplyAsync("web", 4);

        Assert.Null(await Write(ready: 0));
        Assert.Equal(0, await Stored());

        Assert.Equal(WebAppStatusWriter.Pause, await Write(ready: 1));
        time.Advance(WebAppStatusWriter.Pause / 2);
        Assert.Equal(WebAppStatusWriter.Pause / 2, await Write(ready: 2));
        Assert.Equal(0, await Stored());
        time.Advance(WebAppStatusWriter.Pause / 2);
        Assert.Null(await Write(ready: 3));
        Assert.Equal(3, await Stored());

        Assert.Null(await Write(ready: 4));
        Assert.Equal(4, await Stored());

        async Task<TimeSpan?> Write(int ready)
        {
            var app = await cluster.AppAsync("web");
            var target = RolloutTarget.Of(app);
            var live = Enumerable.Range(0, 4).Select(i => ReplicaView.Of(
                new Replica { Spec = new() { Revision = target.Run! }, Status = new() { Ready = i < ready } }, app, target, null, false, new HostOutages(() => []), time.GetUtcNow())).ToList();
            return await writer.WriteAsync(new RollupInput(app, target, live), TestEnd);
        }

        async Task<int?> Stored() => (await cluster.AppAsync("web")).Status?.ReadyReplicas;
    }

    [Fact]
    public async Task That_a_rollout_is_taken_back_is_written_at_once_also_after_another_that_was()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        var time = new FakeTimeProvider();
        await using var events = new EventRecorder(cluster.Kubernetes, "test", NullLoggerFactory.Instance, time);
        var writer = new WebAppStatusWriter(cluster.Api.WebApps, cluster.Api.WebAppClient, events, time);
        await cluster.ApplyAsync("web", 4);
        await cluster.Api.WebAppClient.MergePatchStatusAsync(
            new(TestCluster.Namespace, "web"),
            new { status = new WebAppStatus { CurrentRevision = "stable", UpdateRevision = "before", FailedRollout = new() { Revision = "before" } } },
            TestEnd);

        Assert.Null(await Write(null));
        Assert.Null(await Write(new("CrashLoopBackOff", "exit code 1")));
        Assert.NotEqual("before", (await cluster.AppAsync("web")).Status!.FailedRollout?.Revision);
        Assert.Equal("CrashLoopBackOff", (await cluster.AppAsync("web")).Status!.FailedRollout?.Reason);

        async Task<TimeSpan?> Write(RolloutFailure? failure)
        {
            // As of the status in which the one before has failed: what is new is not in it yet.
            var app = await cluster.AppAsync("web");
            app.Status!.FailedRollout = new() { Revision = "before" };
            return await writer.WriteAsync(new RollupInput(app, RolloutTarget.Of(app), []) { TakenBackFor = failure }, TestEnd);
        }
    }

    [Fact]
    public async Task A_status_decided_by_an_older_form_of_the_app_is_not_written()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        await using var events = new EventRecorder(cluster.Kubernetes, "test", NullLoggerFactory.Instance, TimeProvider.System);
        var writer = new WebAppStatusWriter(cluster.Api.WebApps, cluster.Api.WebAppClient, events, TimeProvider.System);
        var old = await cluster.ApplyAsync("web", 4);
        await cluster.PatchAsync("web", new { replicas = 5 });

        await Assert.ThrowsAsync<ConflictException>(() => writer.WriteAsync(new RollupInput(old, RolloutTarget.Of(old), []), TestEnd));
    }
}
