using k8s.Models;
using Orchestrator.Api.Replicas;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>A host is emptied for as long as its spec says so.</summary>
public sealed class HostDrainTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_is_emptied_new_replicas_first_within_the_surge_and_takes_nothing_until_that_ends()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 3);
        await cluster.ApplyAsync("web", 6);
        await cluster.WaitForReadyAsync("web", 6);
        var (fewestReady, most) = (int.MaxValue, 0);
        cluster.ReplicaChanged = () =>
        {
            var live = cluster.Api.Replicas.Items.Values.Where(replica => replica.Metadata.DeletionTimestamp is null).ToList();
            (fewestReady, most) = (Math.Min(fewestReady, live.Count(replica => replica.Status?.Ready ?? false)), Math.Max(most, live.Count));
        };

        await DrainAsync(cluster, "h1", true);

        await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Count == 6 && seen.TrueForAll(replica => replica.Spec.HostName != "h1"));
        await cluster.WaitForReadyAsync("web", 6);
        Assert.Equal((6, 8), (fewestReady, most));

        await cluster.PatchAsync("web", new { replicas = 9 });
        await cluster.WaitForReadyAsync("web", 9);
        Assert.DoesNotContain(await cluster.ReplicasAsync("web"), replica => replica.Spec.HostName == "h1");

        await DrainAsync(cluster, "h1", false);
        await cluster.PatchAsync("web", new { replicas = 12 });
        await cluster.WaitForReadyAsync("web", 12);
        Assert.Equal(3, (await cluster.ReplicasAsync("web")).Count(replica => replica.Spec.HostName == "h1"));
    }

    [Fact]
    public async Task What_fits_nowhere_else_stays_and_serves_and_nothing_is_left_of_the_try()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2);
        await cluster.ApplyAsync("web", 2, spec => spec.Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["memory"] = new("8Gi") } });
        await cluster.WaitForReadyAsync("web", 2);
        var before = await cluster.ReplicasAsync("web");

        await DrainAsync(cluster, "h1", true);
        var during = await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Exists(replica => replica.Spec.HostName is null && replica.Status?.Message is not null));
        Assert.Equal("0/2 hosts: 1 being drained, 1 insufficient memory", during.Single(replica => replica.Spec.HostName is null).Status!.Message);
        Assert.Equal(2, during.Count(replica => replica.Status?.Ready ?? false));

        await DrainAsync(cluster, "h1", false);
        var after = await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Count == 2);
        Assert.Equal(Uids(before), Uids(after));
    }

    [Fact]
    public async Task Without_a_surge_no_more_are_missing_than_the_disruption_limit_says()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2);
        await cluster.ApplyAsync("web", 6, spec =>
        {
            spec.Strategy = new() { Rolling = new() { MaxSurge = 0, MaxUnavailable = 3 } };
            spec.Disruption = new() { MinAvailable = 5 };
        });
        await cluster.WaitForReadyAsync("web", 6);
        var fewestReady = int.MaxValue;
        cluster.ReplicaChanged = () => fewestReady = Math.Min(fewestReady, cluster.Api.Replicas.Items.Values.Count(
            replica => replica.Metadata.DeletionTimestamp is null && (replica.Status?.Ready ?? false)));

        await DrainAsync(cluster, "h1", true);

        await Eventually.See(() => cluster.ReplicasAsync("web"), seen => seen.Count == 6 && seen.TrueForAll(replica => replica.Spec.HostName == "h2"));
        await cluster.WaitForReadyAsync("web", 6);
        Assert.Equal(5, fewestReady);
    }

    private static Task DrainAsync(TestCluster cluster, string host, bool drain) =>
        cluster.Api.HostClient.MergePatchAsync(new(null, host), new { spec = new { drain } }, TestEnd);

    private static IEnumerable<string> Uids(IEnumerable<Replica> replicas) => replicas.Select(replica => replica.Metadata.Uid).Order();
}
