using Orchestrator.Api.Replicas;
using Orchestrator.Proxy.Leasing;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Leasing;

public sealed class ProxyLeaseTests
{
    /// <summary>Of the test's clock; no divisor of the periods, which must not be what keeps to them.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(330);

    private static readonly DateTime Since = new(2026, 11, 24, 11, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_are_told_once_a_second_at_the_most_and_only_when_they_changed()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var lease = new LeaseUnderTest(cluster);
        await StartCanaryAsync(cluster, lease);

        await lease.AdvanceUntil(Step, () =>
        {
            Count(lease);
            return lease.Writes.Count >= 6;
        });
        var seen = lease.App.Canary!.Read().Canary.Requests;
        await lease.AdvanceUntil(Step, () => Told(lease) == seen);
        var counted = lease.Writes;
        Assert.All(counted.Zip(counted.Skip(1)), pair => Assert.InRange(
            pair.Second.At - pair.First.At, ProxyLease.CountsPeriod, ProxyLease.RenewPeriod));

        // Nothing new from now on: the next write is the renewal.
        await lease.AdvanceUntil(Step, () => lease.Writes.Count > counted.Count);
        Assert.InRange(lease.Writes[counted.Count].At - counted[^1].At, ProxyLease.RenewPeriod, TimeSpan.MaxValue);
        Assert.Equal(seen, Told(lease));
    }

    [Fact]
    public async Task The_annotation_comes_and_goes_with_the_canary()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var lease = new LeaseUnderTest(cluster);
        await StartCanaryAsync(cluster, lease);
        Assert.Null(lease.Writes[0].Canaries);

        await lease.AdvanceUntil(Step, () => lease.Writes[^1].Canaries is not null);
        var told = Assert.Single(lease.Writes[^1].Canaries!);
        Assert.Equal(("default/web", "r2", Since, 0), (told.App, told.Revision, told.Since, told.Canary.Requests));
        Assert.Equal(Since, (await cluster.Apps.GetAsync(new ObjectKey("default", "web"), Cancellation))!.Status!.Rollout!.Canary!.WeightSince);

        await cluster.EndCanaryAsync("web", current: "r2");
        await Eventually.True(() => lease.App.Canary is null);
        await lease.AdvanceUntil(Step, () => lease.Writes[^1].Canaries is null);
    }

    [Fact]
    public async Task What_is_drained_is_told_at_once_with_the_counts_of_the_moment()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var lease = new LeaseUnderTest(cluster);
        await StartCanaryAsync(cluster, lease);
        Count(lease);
        await lease.AdvanceUntil(Step, () => Told(lease) == 1);
        var before = lease.Writes[^1];
        Count(lease);

        var replica = await CreateDeletingAsync(cluster, lease);

        await lease.AdvanceUntil(ProxyLease.Coalesce, () => lease.Writes[^1].Drained == replica.Metadata.Uid);
        Assert.InRange(lease.Writes[^1].At - before.At, TimeSpan.Zero, ProxyLease.CountsPeriod);
        Assert.Equal(2, Told(lease));
    }

    [Fact]
    public async Task A_write_of_counts_that_gets_no_answer_soon_makes_way_for_what_is_drained()
    {
        await using var cluster = await TestCluster.StartAsync();
        await using var lease = new LeaseUnderTest(cluster);
        await StartCanaryAsync(cluster, lease);
        Count(lease);
        await lease.AdvanceUntil(Step, () => Told(lease) == 1);
        lease.NextHangs = true;
        Count(lease);
        await lease.AdvanceUntil(Step, () => !lease.NextHangs);
        var hung = lease.Time.GetUtcNow().UtcDateTime;

        var replica = await CreateDeletingAsync(cluster, lease);

        await lease.AdvanceUntil(Step, () => lease.GivenUp == 1);
        await lease.AdvanceUntil(ProxyLease.Coalesce, () => lease.Writes[^1].Drained == replica.Metadata.Uid);
        Assert.InRange(lease.Writes[^1].At - hung, TimeSpan.Zero, ProxyLease.RenewPeriod);
        Assert.Equal(2, Told(lease));
    }

    private static void Count(LeaseUnderTest lease) => lease.App.Canary!.Count(
        new(new("uid", "10.0.0.1", 80, "r2")), status: 200, TimeSpan.FromMilliseconds(1));

    private static long Told(LeaseUnderTest lease) => lease.Writes[^1].Canaries?.Single().Canary.Requests ?? -1;

    /// <summary>The Lease was written once, before there was a canary.</summary>
    private static async Task StartCanaryAsync(TestCluster cluster, LeaseUnderTest lease)
    {
        await Eventually.True(() => lease.Writes.Count == 1);
        await cluster.CreateCanaryAppAsync("web");
        await cluster.SetCanaryAsync("web", weight: 10, Since);
        await Eventually.True(() => lease.Routes.Table.Apps.Any(app => app.Canary is not null));
    }

    private static async Task<Replica> CreateDeletingAsync(TestCluster cluster, LeaseUnderTest lease)
    {
        await using var server = await ReplicaServer.StartAsync("leaves");
        var replica = await cluster.CreateReplicaAsync("web", server);
        await cluster.Replicas.DeleteAsync(ObjectKey.Of(replica), null, Cancellation);
        await Eventually.True(() => lease.Watcher.DeletingUids.Contains(replica.Metadata.Uid) && lease.Routes.IsDrained(replica.Metadata.Uid));
        return replica;
    }
}
