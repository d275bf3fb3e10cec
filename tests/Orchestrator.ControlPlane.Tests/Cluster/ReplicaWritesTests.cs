using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.Replicas;
using Orchestrator.ControlPlane.WebApps;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>Against a server, with a cache that sees nothing by itself: one that lags as far as can be.</summary>
public sealed class ReplicaWritesTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_created_is_in_the_cache_at_once()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        var (writes, informers) = Lagging(cluster, new LossyWire(0, 2) { IsOn = false });
        var app = await cluster.ApplyAsync("web", 3);

        Assert.Equal((3, null), await writes.CreateAsync(app, "r1", app.Spec.ToTemplate(), 3, TestEnd));
        Assert.Equal(3, informers.Replicas.Items.Count);
    }

    [Fact]
    public async Task Creating_again_by_a_cache_that_knows_nothing_makes_nothing_twice_but_learns_what_there_is()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        var app = await cluster.ApplyAsync("web", 3);
        await Lagging(cluster, new LossyWire(0, 2) { IsOn = false }).Writes.CreateAsync(app, "r1", app.Spec.ToTemplate(), 3, TestEnd);
        var (writes, informers) = Lagging(cluster, new LossyWire(0, 2) { IsOn = false });

        Assert.Equal((0, null), await writes.CreateAsync(app, "r1", app.Spec.ToTemplate(), 3, TestEnd));
        Assert.Equal(3, informers.Replicas.Items.Count);
        Assert.Equal(3, (await cluster.ReplicasAsync("web")).Count);
    }

    [Fact]
    public async Task Whatever_a_create_fails_by_is_given_back_as_its_reason()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        using var wire = new AnsweringWire((_, _) => Task.FromResult<HttpResponseMessage?>(new() { Content = new StreamContent(new BrokenStream()) }));
        var app = await cluster.ApplyAsync("web", 3);
        var (created, failure) = await Lagging(cluster, wire).Writes.CreateAsync(app, "r1", app.Spec.ToTemplate(), 3, TestEnd);

        Assert.Equal(0, created);
        Assert.IsType<IOException>(failure);
    }

    [Fact]
    public async Task What_was_deleted_counts_as_deleting_although_the_cache_does_not_show_it()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        var (writes, informers) = Lagging(cluster, new LossyWire(0, 2) { IsOn = false });
        var replicas = await CreateAsync(cluster, writes, informers, 2);
        await writes.DeleteAsync([replicas[0]], TestEnd);

        Assert.Equal((true, false), (writes.IsDeleting(replicas[0]), writes.IsDeleting(replicas[1])));
    }

    [Fact]
    public async Task A_deletion_whose_answer_was_lost_counts_and_is_sent_again_until_one_is_answered()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        var (sent, loses) = (0, false);
        using var wire = new AnsweringWire((request, _) =>
        {
            sent += request.Method == HttpMethod.Delete ? 1 : 0;
            return loses ? throw new HttpRequestException("the request was lost") : Task.FromResult<HttpResponseMessage?>(null);
        });
        var (writes, informers) = Lagging(cluster, wire);
        var replicas = await CreateAsync(cluster, writes, informers, 2);
        loses = true;
        await Assert.ThrowsAsync<HttpRequestException>(() => writes.DeleteAsync([replicas[0]], TestEnd));
        await Assert.ThrowsAsync<HttpRequestException>(() => writes.RepeatLostDeletionsAsync(replicas, TestEnd));
        Assert.Equal((true, false, 2), (writes.IsDeleting(replicas[0]), writes.IsDeleting(replicas[1]), sent));

        loses = false;
        await writes.RepeatLostDeletionsAsync(replicas, TestEnd);
        await writes.RepeatLostDeletionsAsync(replicas, TestEnd);
        Assert.True(writes.IsDeleting(replicas[0]));
        Assert.Equal(3, sent);
        Assert.Equal(replicas[1].Metadata.Name, Assert.Single(await cluster.ReplicasAsync("web")).Metadata.Name);
    }

    [Fact]
    public async Task A_deletion_that_was_refused_has_not_happened()
    {
        await using var cluster = await TestCluster.StartAsync(controllers: false);
        using var wire = new RefusingWire(request => request.Method == HttpMethod.Delete);
        var (writes, informers) = Lagging(cluster, wire);
        var replica = (await CreateAsync(cluster, writes, informers, 1))[0];
        await Assert.ThrowsAsync<Runtime.Clients.ApiException>(() => writes.DeleteAsync([replica], TestEnd));

        Assert.False(writes.IsDeleting(replica));
    }

    private (ReplicaWrites Writes, SharedInformers Informers) Lagging(TestCluster cluster, DelegatingHandler wire)
    {
        var informers = new SharedInformers(cluster.Connect(wire), "test", NullLoggerFactory.Instance, TimeProvider.System);
        return (new ReplicaWrites(informers.Replicas, informers.ReplicaClient, placer: null), informers);
    }

    private static async Task<List<Replica>> CreateAsync(TestCluster cluster, ReplicaWrites writes, SharedInformers informers, int count)
    {
        var app = await cluster.ApplyAsync("web", count);
        await writes.CreateAsync(app, "r1", app.Spec.ToTemplate(), count, TestEnd);
        return [.. informers.Replicas.Items.Values];
    }
}
