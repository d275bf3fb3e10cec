using k8s;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

public sealed class RollbackTests
{
    [Fact]
    public async Task A_revision_that_keeps_failing_is_taken_back_and_what_is_healthy_stays()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (stable, failed) = await FailAsync(cluster, 4);
        var app = await cluster.AppAsync("web");

        Assert.Equal((failed, "CrashLoopBackOff"), (app.Status!.FailedRollout!.Revision, app.Status.FailedRollout.Reason));
        Assert.EndsWith("its last words: no config", app.Status.FailedRollout.Message, StringComparison.Ordinal);
        Assert.Equal((stable, failed), (app.Status.CurrentRevision, app.Status.UpdateRevision));
        var progressing = Conditions.Find(app.Status.Conditions, ConditionTypes.Progressing)!;
        Assert.Equal((Conditions.False, "RolledBack"), (progressing.Status, progressing.Reason));
        Assert.Equal("registry.example/web:bad", app.Spec.Image);
        Assert.Contains(await cluster.EventsAsync("web"), line => line.StartsWith($"Warning RolledBack: revision {failed} failed, going back to {stable}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_replaces_none_that_needs_no_replacing()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 4, NoneMissing);
        await cluster.WaitForReadyAsync("web", 4);
        var before = (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order();
        await BreakAsync(cluster);
        await WaitForStableAsync(cluster, 4);

        Assert.Equal(before, (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order());
    }

    [Fact]
    public async Task Scaled_and_healed_it_goes_on_with_the_stable_revision_also_after_a_restart_of_the_controllers()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (stable, _) = await FailAsync(cluster, 2);
        await cluster.StopControllersAsync();

        // None is left to copy the template from: the history has it.
        foreach (var replica in await cluster.ReplicasAsync("web"))
        {
            await cluster.Api.ReplicaClient.DeleteAsync(new(TestCluster.Namespace, replica.Metadata.Name), null, CancellationToken.None);
        }

        await Eventually.True(async () => (await cluster.ReplicasAsync("web")).Count == 0);
        await cluster.PatchAsync("web", new { replicas = 3 });
        await cluster.StartControllersAsync();
        await WaitForStableAsync(cluster, 3);

        Assert.All(await cluster.ReplicasAsync("web"), replica =>
            Assert.Equal((stable, "registry.example/web:v1"), (replica.Spec.Revision, replica.Spec.Template.Image)));
    }

    [Fact]
    public async Task The_next_template_is_rolled_out_and_the_failure_forgotten()
    {
        await using var cluster = await TestCluster.StartAsync();
        await FailAsync(cluster, 3);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v3" });
        var app = await cluster.WaitForReadyAsync("web", 3);

        Assert.Null(app.Status!.FailedRollout);
        Assert.Null(app.Status.Rollout);
        Assert.Equal("NewReplicasAvailable", Conditions.Find(app.Status.Conditions, ConditionTypes.Progressing)!.Reason);
    }

    [Fact]
    public async Task Back_to_the_stable_template_by_hand_is_complete_at_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (stable, _) = await FailAsync(cluster, 3);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v1" });
        var app = await cluster.WaitForReadyAsync("web", 3);

        Assert.Equal((stable, null), (app.Status!.CurrentRevision, app.Status.FailedRollout));
    }

    [Fact]
    public async Task Switched_off_it_stays_with_the_failing_revision_beside_the_stable_one()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 2, spec => spec.AutoRollback = false);
        await cluster.WaitForReadyAsync("web", 2);
        await BreakAsync(cluster);
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status?.UpdatedReplicas == 1
            && Conditions.Find(seen.Status.Conditions, ConditionTypes.Progressing)!.Message.Contains("CrashLoopBackOff", StringComparison.Ordinal));

        Assert.Null(app.Status!.FailedRollout);
        Assert.Equal(2, app.Status.ReadyReplicas);

        // Switched on again, it is taken back.
        await cluster.PatchAsync("web", new { autoRollback = true });
        await WaitForStableAsync(cluster, 2);
    }

    [Fact]
    public async Task The_first_revision_has_nothing_to_go_back_to()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Agent.StatusOf = _ => TestAgent.Failing("CrashLoopBackOff", "exit code 1");
        await cluster.ApplyAsync("web", 2);
        var app = await cluster.WaitForAppAsync("web", seen =>
            Conditions.Find(seen.Status?.Conditions, ConditionTypes.Progressing)?.Message.Contains("2 of 2 replicas: CrashLoopBackOff", StringComparison.Ordinal) ?? false);

        Assert.Null(app.Status!.FailedRollout);
        Assert.Equal(2, (await cluster.ReplicasAsync("web")).Count(replica => replica.Metadata.DeletionTimestamp is null));
    }

    [Fact]
    public async Task A_stable_revision_whose_template_was_removed_by_hand_is_missed_aloud()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (stable, _) = await FailAsync(cluster, 1);
        await cluster.PatchAsync("web", new { replicas = 0 });
        await Eventually.True(async () => (await cluster.ReplicasAsync("web")).Count == 0);
        await cluster.Kubernetes.AppsV1.DeleteNamespacedControllerRevisionAsync($"web-{stable}", TestCluster.Namespace);
        await cluster.PatchAsync("web", new { replicas = 1 });
        await cluster.WaitForAppAsync("web", seen => seen.Status?.FailedRollout is not null && CreateFailure(seen).Contains($"web-{stable} was removed or changed", StringComparison.Ordinal));

        await cluster.PatchAsync("web", new { image = "registry.example/web:v3" });
        await cluster.WaitForReadyAsync("web", 1);

        static string CreateFailure(WebApp app) =>
            Conditions.Find(app.Status!.Conditions, ConditionTypes.Progressing) is { Reason: "FailedCreate" } failed ? failed.Message : "";
    }

    private static void NoneMissing(WebAppSpec spec) => spec.Strategy = new() { Rolling = new() { MaxSurge = "1", MaxUnavailable = "0" } };

    /// <summary>A rollout that has failed and is taken back.</summary>
    private static async Task<(string Stable, string Failed)> FailAsync(TestCluster cluster, int replicas)
    {
        await cluster.ApplyAsync("web", replicas);
        await cluster.WaitForReadyAsync("web", replicas);
        await BreakAsync(cluster);
        var app = await WaitForStableAsync(cluster, replicas);
        return (app.Status!.CurrentRevision!, app.Status.UpdateRevision!);
    }

    private static async Task BreakAsync(TestCluster cluster)
    {
        cluster.Agent.StatusOf = replica => replica.Spec.Template.Image.EndsWith(":bad", StringComparison.Ordinal)
            ? TestAgent.Failing("CrashLoopBackOff", "exit code 1; its last words: no config")
            : TestAgent.Ready(replica);
        await cluster.PatchAsync("web", new { image = "registry.example/web:bad" });
    }

    private static Task<WebApp> WaitForStableAsync(TestCluster cluster, int replicas) => cluster.WaitForAppAsync("web", app =>
        app.Status is { FailedRollout: not null, UpdatedReplicas: 0 } status && status.ObservedGeneration == app.Metadata.Generation
        && status.AvailableReplicas == replicas && status.Replicas == replicas);
}
