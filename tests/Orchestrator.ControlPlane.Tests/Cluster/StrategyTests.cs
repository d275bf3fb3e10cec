using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

public sealed class StrategyTests
{
    [Fact]
    public async Task Recreate_never_has_two_revisions_at_once_those_that_still_stop_included()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3, spec => spec.Strategy = new() { Type = RolloutStrategy.Recreate });
        await cluster.WaitForReadyAsync("web", 3);
        var most = 0;
        cluster.ReplicaChanged = () => most = Math.Max(
            most, cluster.Api.Replicas.Items.Values.Select(replica => replica.Spec.Revision).Distinct().Count());
        cluster.Agent.Stops = false;
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status is { Replicas: 0, Rollout: not null });

        Assert.Null(app.Status!.Rollout!.ProgressedAt);
        Assert.Equal(3, (await cluster.ReplicasAsync("web")).Count);

        cluster.Agent.Stops = true;
        cluster.Agent.LookAgain();
        await cluster.WaitForReadyAsync("web", 3);
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task A_new_replica_counts_only_once_it_has_been_ready_for_long_enough()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Agent.StatusOf = replica => ReadySince(replica, DateTime.UtcNow.AddHours(-1));
        await cluster.ApplyAsync("web", 4, spec => spec.MinReadySeconds = 300);
        await cluster.WaitForReadyAsync("web", 4);

        cluster.Agent.StatusOf = replica => ReadySince(replica, DateTime.UtcNow);
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status is { UpdatedReplicas: 2, ReadyReplicas: 5 });
        Assert.Equal((3, 0), (app.Status!.AvailableReplicas, app.Status.Rollout!.MostAvailable));

        await cluster.PatchAsync("web", new { minReadySeconds = 0 });
        await cluster.WaitForReadyAsync("web", 4);
    }

    [Fact]
    public async Task Paused_it_scales_and_heals_by_the_stable_revision_and_gathers_changes_until_it_is_resumed()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 2);
        var stable = (await cluster.WaitForReadyAsync("web", 2)).Status!.CurrentRevision!;
        await cluster.PatchAsync("web", new { paused = true, image = "registry.example/web:v2" });
        await cluster.PatchAsync("web", new { image = "registry.example/web:v3", replicas = 4 });
        var app = await cluster.WaitForReadyAsync("web", 4);

        Assert.Equal((stable, "RolloutPaused"), (app.Status!.UpdateRevision, Conditions.Find(app.Status.Conditions, ConditionTypes.Progressing)!.Reason));
        Assert.All(await cluster.ReplicasAsync("web"), replica => Assert.Equal(stable, replica.Spec.Revision));

        await cluster.PatchAsync("web", new { paused = (bool?)false });
        await cluster.WaitForReadyAsync("web", 4);

        // Of what was changed in the pause only the last is a revision.
        Assert.Equal(2, (await cluster.HistoryAsync("web")).Count);
        Assert.All(await LiveAsync(cluster), replica => Assert.EndsWith(":v3", replica.Spec.Template.Image, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Paused_in_the_middle_both_revisions_stay_as_they_are()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 4);
        var stable = (await cluster.WaitForReadyAsync("web", 4)).Status!.CurrentRevision!;
        cluster.Agent.StatusOf = replica => replica.Spec.Revision == stable ? TestAgent.Ready(replica) : new() { Phase = ReplicaPhases.Running };
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        await cluster.WaitForAppAsync("web", seen => seen.Status is { UpdatedReplicas: 2, Replicas: 5 });
        await cluster.PatchAsync("web", new { paused = true });
        await cluster.WaitForAppAsync("web", seen => seen.Status!.ObservedGeneration == seen.Metadata.Generation);

        // Also when the new ones become ready.
        cluster.Agent.StatusOf = TestAgent.Ready;
        cluster.Agent.LookAgain();
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status is { Replicas: 5, ReadyReplicas: 5 });
        Assert.Equal((2, stable), (app.Status!.UpdatedReplicas, app.Status.CurrentRevision));

        await cluster.PatchAsync("web", new { paused = false });
        await cluster.WaitForReadyAsync("web", 4);
        Assert.All(await LiveAsync(cluster), replica => Assert.NotEqual(stable, replica.Spec.Revision));
    }

    [Fact]
    public async Task Paused_before_its_first_rollout_an_app_has_no_replica()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 2, spec => spec.Paused = true);
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status is not null);
        Assert.Equal((0, null), (app.Status!.Replicas, app.Status.UpdateRevision));

        await cluster.PatchAsync("web", new { paused = false });
        await cluster.WaitForReadyAsync("web", 2);
    }

    [Fact]
    public async Task A_restart_is_a_new_revision_of_the_same_template()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3);
        var before = (await cluster.WaitForReadyAsync("web", 3)).Status!.CurrentRevision;
        await cluster.PatchAsync("web", new { restartedAt = "2026-01-02T03:04:05Z" });
        var after = (await cluster.WaitForReadyAsync("web", 3)).Status!.CurrentRevision;

        Assert.NotEqual(before, after);
        Assert.All(await LiveAsync(cluster), replica => Assert.Equal(after, replica.Spec.Revision));
    }

    private static ReplicaStatus ReadySince(Replica replica, DateTime since)
    {
        var status = TestAgent.Ready(replica);
        status.Conditions = [new V1Condition { Type = ConditionTypes.Ready, Status = Conditions.True, Reason = "Ready", LastTransitionTime = since }];
        return status;
    }

    private static async Task<List<Replica>> LiveAsync(TestCluster cluster) =>
        [.. (await cluster.ReplicasAsync("web")).Where(replica => replica.Metadata.DeletionTimestamp is null)];
}
