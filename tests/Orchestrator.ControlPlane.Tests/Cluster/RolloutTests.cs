using Orchestrator.Api;

namespace Orchestrator.ControlPlane.Tests.Cluster;

public sealed class RolloutTests
{
    [Fact]
    public async Task A_new_revision_replaces_the_old_one_without_ever_going_below_what_may_be_missing()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 8);
        var old = (await cluster.WaitForReadyAsync("web", 8)).Status!.CurrentRevision!;
        var (fewestReady, most, seen) = (int.MaxValue, 0, "");
        cluster.ReplicaChanged = () =>
        {
            var live = cluster.Api.Replicas.Items.Values.Where(replica => replica.Metadata.DeletionTimestamp is null).ToList();
            fewestReady = Math.Min(fewestReady, live.Count(replica => replica.Status?.Ready ?? false));
            if (live.Count > most)
            {
                (most, seen) = (live.Count, string.Join("; ", live.Select(replica => $"{replica.Spec.Revision} {replica.Metadata.Name[^5..]} {replica.Status?.Phase} {replica.Status?.Reason}")));
            }
        };
        await cluster.PatchAsync("web", new { image = "registry.example/web:v2" });
        var app = await cluster.WaitForReadyAsync("web", 8);

        Assert.NotEqual(old, app.Status!.CurrentRevision);
        Assert.All(await cluster.ReplicasAsync("web"), replica => Assert.True(
            replica.Metadata.DeletionTimestamp is not null || replica.Spec.Template.Image.EndsWith(":v2", StringComparison.Ordinal)));
        Assert.InRange(fewestReady, 6, 8);
        Assert.True(most is 9 or 10, $"{most} at once: {seen}");
        Assert.Equal([$"web-{old}", $"web-{app.Status.CurrentRevision}"], await cluster.HistoryAsync("web"));
    }

    [Fact]
    public async Task A_revision_that_does_not_become_ready_leaves_the_old_one_serving_and_says_why()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 4);
        var old = (await cluster.WaitForReadyAsync("web", 4)).Status!.CurrentRevision!;
        cluster.Agent.StatusOf = replica => replica.Spec.Revision == old ? TestAgent.Ready(replica) : TestAgent.Failing("ErrImagePull", "manifest unknown");
        await cluster.PatchAsync("web", new { image = "registry.example/web:missing" });
        var app = await cluster.WaitForAppAsync("web", seen => seen.Status?.UpdatedReplicas == 2
            && Conditions.Find(seen.Status.Conditions, ConditionTypes.Available)!.Message.Contains("2 of 5 replicas: ErrImagePull", StringComparison.Ordinal));

        Assert.Equal("3 of 4 replicas are ready; 2 of 5 replicas: ErrImagePull: manifest unknown",
            Conditions.Find(app.Status!.Conditions, ConditionTypes.Available)!.Message);
        Assert.Equal(old, app.Status.CurrentRevision);

        // And back: what is left of the old one is kept.
        await cluster.PatchAsync("web", new { image = "registry.example/web:v1" });
        await cluster.WaitForReadyAsync("web", 4);
        Assert.Equal(old, (await cluster.AppAsync("web")).Status!.CurrentRevision);
    }

    [Fact]
    public async Task The_present_and_ten_earlier_revisions_are_kept_and_one_that_comes_back_is_the_newest()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 1, spec => spec.Image = "registry.example/web:v0");
        var revisions = new List<string> { (await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision! };
        for (var i = 1; i <= 12; i++)
        {
            await cluster.PatchAsync("web", new { image = $"registry.example/web:v{i}" });
            revisions.Add((await cluster.WaitForReadyAsync("web", 1)).Status!.CurrentRevision!);
        }

        Assert.Equal(revisions[^11..].Select(revision => $"web-{revision}"), await cluster.HistoryAsync("web"));
        await cluster.PatchAsync("web", new { image = "registry.example/web:v8" });
        await cluster.WaitForReadyAsync("web", 1);
        Assert.Equal($"web-{revisions[8]}", (await cluster.HistoryAsync("web"))[^1]);
    }

    [Fact]
    public async Task A_change_of_placement_or_route_is_no_new_revision()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 2);
        await cluster.WaitForReadyAsync("web", 2);
        var before = (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order();
        await cluster.PatchAsync("web", new { route = new { hosts = new[] { "example.org" } }, placement = new { maxReplicasPerHost = 3 } });
        await cluster.WaitForReadyAsync("web", 2);

        Assert.Equal(before, (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).Order());
    }
}
