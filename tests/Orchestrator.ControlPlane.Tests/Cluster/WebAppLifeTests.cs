using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>The life of an app against a real API server: created, scaled, deleted; the controllers stopped and started.</summary>
public sealed class WebAppLifeTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_app_gets_its_replicas_spread_over_the_hosts_each_with_a_port_and_a_finalizer()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        await cluster.ApplyAsync("web", 6);
        var app = await cluster.WaitForReadyAsync("web", 6);

        var replicas = await cluster.ReplicasAsync("web");
        Assert.Equal(6, replicas.Count);
        Assert.All(replicas.GroupBy(replica => replica.Spec.HostName), host => Assert.Equal(2, host.Count()));
        Assert.Equal(6, replicas.Select(replica => (replica.Spec.HostName, replica.Spec.HostPort)).Distinct().Count());
        Assert.All(replicas, replica =>
        {
            Assert.Equal([Finalizers.Container], replica.Metadata.Finalizers);
            Assert.Equal(replica.Spec.HostName, replica.Metadata.Labels[Labels.Host]);
            Assert.Equal(app.Metadata.Uid, replica.GetController().Uid);
            Assert.StartsWith($"web-{RevisionHash.Of(app.Spec)}-", replica.Metadata.Name, StringComparison.Ordinal);
        });
        Assert.Equal("orchestrator.dev/app=web", app.Status!.Selector);
        Assert.True(Conditions.IsTrue(app.Status.Conditions, ConditionTypes.Available));
        Assert.Equal("NewReplicasAvailable", Conditions.Find(app.Status.Conditions, ConditionTypes.Progressing)!.Reason);
    }

    [Fact]
    public async Task Scaling_up_to_zero_and_back_is_followed()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        foreach (var wanted in new[] { 10, 2, 0, 4 })
        {
            await cluster.PatchAsync("web", new { replicas = wanted });
            await cluster.WaitForReadyAsync("web", wanted);
            await Eventually.See(() => cluster.ReplicasAsync("web"), replicas => replicas.Count == wanted);
        }
    }

    [Fact]
    public async Task A_deleted_replica_is_replaced()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        var victim = (await cluster.ReplicasAsync("web"))[0].Metadata;
        await cluster.Api.ReplicaClient.DeleteAsync(new(victim.NamespaceProperty, victim.Name), victim.Uid, TestEnd);

        await Eventually.See(
            () => cluster.ReplicasAsync("web"),
            replicas => replicas.Count(replica => replica.Status?.Ready ?? false) == 3 && replicas.TrueForAll(replica => replica.Metadata.Uid != victim.Uid));
    }

    [Fact]
    public async Task Deleting_an_app_waits_for_its_replicas_and_leaves_nothing()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        cluster.Agent.Stops = false;
        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, TestEnd);
        var draining = await cluster.WaitForAppAsync("web", app => app.Status?.Replicas == 0);
        Assert.Equal("Deleting", Conditions.Find(draining.Status!.Conditions, ConditionTypes.Progressing)!.Reason);
        Assert.False(Conditions.IsTrue(draining.Status.Conditions, ConditionTypes.Available));
        Assert.All(await cluster.ReplicasAsync("web"), replica => Assert.NotNull(replica.Metadata.DeletionTimestamp));

        cluster.Agent.Stops = true;
        cluster.Agent.LookAgain();
        await cluster.WaitForNoAppAsync("web");
        Assert.Empty(await cluster.ReplicasAsync("web"));
        Assert.Empty(await cluster.HistoryAsync("web"));
    }

    [Fact]
    public async Task Controllers_that_were_away_catch_up_and_make_nothing_twice()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 3);
        await cluster.WaitForReadyAsync("web", 3);
        var before = (await cluster.ReplicasAsync("web")).Select(replica => replica.Metadata.Uid).ToHashSet();
        await cluster.StopControllersAsync();
        await cluster.PatchAsync("web", new { replicas = 5 });
        await cluster.ApplyAsync("shop", 2);
        await cluster.StartControllersAsync();
        await cluster.WaitForReadyAsync("web", 5);
        await cluster.WaitForReadyAsync("shop", 2);

        var after = await cluster.ReplicasAsync("web");
        Assert.Equal(5, after.Count);
        Assert.Subset(after.Select(replica => replica.Metadata.Uid).ToHashSet(), before);
    }

    [Fact]
    public async Task Two_sets_of_controllers_at_once_make_nothing_twice()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var others = new OtherControllers(cluster.Kubernetes);
        await cluster.ApplyAsync("web", 20);

        // Each replica once; two that were given one port are told apart by their engine.
        await cluster.WaitForReadyAsync("web", 20);
        var replicas = await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Count == 20);
        Assert.Equal(20, replicas.Select(replica => (replica.Spec.HostName, replica.Spec.HostPort)).Distinct().Count());
    }

    [Fact]
    public async Task The_spec_is_never_written()
    {
        await using var cluster = await TestCluster.StartAsync();
        var applied = await cluster.ApplyAsync("web", 3);
        var app = await cluster.WaitForReadyAsync("web", 3);

        Assert.Equal(applied.Metadata.Generation, app.Metadata.Generation);
    }

    [Fact]
    public async Task A_replica_that_has_lost_its_app_is_deleted_and_one_left_on_purpose_is_adopted_by_the_next()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 2);
        await cluster.WaitForReadyAsync("web", 2);
        var kept = (await cluster.ReplicasAsync("web"))[0];

        // Left on purpose: without an owner.
        await cluster.StopControllersAsync();
        var key = Runtime.ObjectKey.Of(kept);
        await cluster.Api.ReplicaClient.MergePatchAsync(key, new { metadata = new { ownerReferences = Array.Empty<V1OwnerReference>() } }, TestEnd);
        await cluster.Api.WebAppClient.MergePatchAsync(new(TestCluster.Namespace, "web"), new { metadata = new { finalizers = Array.Empty<string>() } }, TestEnd);
        await cluster.Api.WebAppClient.DeleteAsync(new(TestCluster.Namespace, "web"), null, TestEnd);
        await cluster.StartControllersAsync();
        await Eventually.See(() => cluster.ReplicasAsync("web"), replicas => replicas is [var one] && one.Metadata.Uid == kept.Metadata.Uid);

        await cluster.ApplyAsync("web", 2);
        var app = await cluster.WaitForReadyAsync("web", 2);
        var adopted = await cluster.Api.ReplicaClient.GetAsync(key, TestEnd);
        Assert.Equal((kept.Metadata.Uid, app.Metadata.Uid), (adopted!.Metadata.Uid, adopted.GetController().Uid));
    }
}
