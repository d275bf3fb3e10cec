using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.ControlPlane.Rebalancing;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>A host joins, and has its share once it has been there for a while.</summary>
public sealed class RebalancingTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task A_host_that_joins_gets_its_share_after_a_while_with_no_replica_missing_at_any_moment()
    {
        await using var cluster = await StartAsync();
        await cluster.ApplyAsync("web", 6);
        await See(cluster, "web", "h1:3 h2:3");
        var (fewestReady, most) = (int.MaxValue, 0);
        cluster.ReplicaChanged = () =>
        {
            var live = cluster.Api.Replicas.Items.Values.Where(replica => replica.Metadata.DeletionTimestamp is null).ToList();
            (fewestReady, most) = (Math.Min(fewestReady, live.Count(replica => replica.Status?.Ready ?? false)), Math.Max(most, live.Count));
        };

        await cluster.CreateHostAsync("h3");

        await See(cluster, "web", "h1:2 h2:2 h3:2");
        Assert.Equal((6, 7), (fewestReady, most));
        var told = await Eventually.See(() => EventsALittleLater(cluster), told => told.Count(IsMove) == 2);
        Assert.Single(told, one => one.EndsWith("which has 3 of the replicas, for h3, which has 0: a new one starts first", StringComparison.Ordinal));
        Assert.Single(told, one => one.EndsWith("which has 3 of the replicas, for h3, which has 1: a new one starts first", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_that_comes_and_goes_gets_nothing_and_neither_does_one_for_an_app_that_wants_no_moves()
    {
        await using var cluster = await StartAsync();
        await cluster.ApplyAsync("web", 6);
        await cluster.ApplyAsync("fixed", 6, spec => spec.Placement = new() { Rebalance = false });
        await See(cluster, "web", "h1:3 h2:3");
        await See(cluster, "fixed", "h1:3 h2:3");
        await cluster.CreateHostAsync("h3");
        for (var i = 0; i < 4; i++)
        {
            await PassAsync(cluster, SteadyHosts.SettleTime * 0.8);
            await cluster.SetHostReadyAsync("h3", false);
            await PassAsync(cluster, TimeSpan.FromSeconds(2));
            await cluster.SetHostReadyAsync("h3", true);
        }

        Assert.Equal("h1:3 h2:3", await CountsAsync(cluster, "web"));

        await See(cluster, "web", "h1:2 h2:2 h3:2");
        Assert.Equal("h1:3 h2:3", await CountsAsync(cluster, "fixed"));
        Assert.DoesNotContain(await cluster.EventsAsync("fixed"), IsMove);
    }

    [Fact]
    public async Task Where_all_hosts_flap_nothing_is_moved_until_they_are_trusted_again()
    {
        await using var cluster = await StartAsync();
        await cluster.ApplyAsync("web", 6);
        await See(cluster, "web", "h1:3 h2:3");
        await cluster.CreateHostAsync("h3");
        var until = _clock.GetUtcNow().UtcDateTime + (6 * SteadyHosts.SettleTime);
        foreach (var host in (string[])["h1", "h2", "h3"])
        {
            await cluster.Api.HostClient.MergePatchStatusAsync(
                new(null, host), new { status = new { flapping = new HostFlapping { Count = 4, Until = until } } }, TestContext.Current.CancellationToken);
        }

        await PassAsync(cluster, 5 * SteadyHosts.SettleTime);
        Assert.DoesNotContain(await cluster.EventsAsync("web"), IsMove);

        await See(cluster, "web", "h1:2 h2:2 h3:2");
    }

    [Fact]
    public async Task Told_not_to_rebalance_nothing_is_moved_and_a_host_that_is_drained_is_left_all_the_same()
    {
        await using var cluster = await StartAsync(rebalance: false);
        await cluster.ApplyAsync("web", 6);
        await See(cluster, "web", "h1:3 h2:3");
        await cluster.CreateHostAsync("h3");
        await PassAsync(cluster, 5 * SteadyHosts.SettleTime);
        Assert.DoesNotContain(await cluster.EventsAsync("web"), IsMove);

        await cluster.Api.HostClient.MergePatchAsync(new(null, "h2"), new { spec = new { drain = true } }, TestContext.Current.CancellationToken);
        await See(cluster, "web", "h1:3 h3:3");
    }

    [Fact]
    public async Task A_move_whose_new_replica_does_not_start_is_given_up_and_the_old_one_stays()
    {
        await using var cluster = await StartAsync();
        await CordonAsync(cluster, true);
        await cluster.ApplyAsync("web", 2);
        await See(cluster, "web", "h1:2");
        var before = await cluster.ReplicasAsync("web");
        cluster.Agent.StatusOf = replica => replica.Spec.HostName == "h2"
            ? TestAgent.Failing(ControlPlane.WebApps.ReplicaView.ImagePullBackOff, "no such image")
            : cluster.Agent.Start(replica);

        await CordonAsync(cluster, false);

        await Eventually.See(
            () => EventsALittleLater(cluster),
            told => told.Exists(one => one.StartsWith("Normal RebalancingStopped:", StringComparison.Ordinal)
                && one.EndsWith("does not start on h2: ImagePullBackOff: no such image", StringComparison.Ordinal)));
        await See(cluster, "web", "h1:2");
        Assert.Equal(Uids(before), Uids(await cluster.ReplicasAsync("web")));
    }

    private static Task CordonAsync(TestCluster cluster, bool unschedulable) =>
        cluster.Api.HostClient.MergePatchAsync(new(null, "h2"), new { spec = new { unschedulable } }, TestContext.Current.CancellationToken);

    /// <summary>On two hosts.</summary>
    private async Task<TestCluster> StartAsync(bool rebalance = true)
    {
        var cluster = await TestCluster.StartAsync(hosts: 2, controllers: false);
        await cluster.StartControllersAsync(clock: _clock, rebalance: rebalance);
        return cluster;
    }

    /// <summary>Until the app lies like that, all of it ready and nothing of it stopping, while time passes.</summary>
    private Task See(TestCluster cluster, string app, string counts) => Eventually.See(
        async () =>
        {
            await PassAsync(cluster, 10 * Tick);
            return await CountsAsync(cluster, app);
        },
        seen => seen == counts);

    private async Task<List<string>> EventsALittleLater(TestCluster cluster)
    {
        await PassAsync(cluster, 10 * Tick);
        return await cluster.EventsAsync("web");
    }

    /// <summary>In steps, each long enough for what is under way to go on.</summary>
    private async Task PassAsync(TestCluster cluster, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += Tick)
        {
            _clock.Advance(Tick);
            await cluster.AppAsync("web");
        }
    }

    private static async Task<string> CountsAsync(TestCluster cluster, string app) => string.Join(' ', (await cluster.ReplicasAsync(app))
        .CountBy(replica => $"{replica.Spec.HostName ?? "?"}{(replica is { Status.Ready: true, Metadata.DeletionTimestamp: null } ? "" : "!")}")
        .OrderBy(host => host.Key, StringComparer.Ordinal)
        .Select(host => $"{host.Key}:{host.Value}"));

    private static bool IsMove(string told) => told.StartsWith("Normal Rebalancing:", StringComparison.Ordinal);

    private static IEnumerable<string> Uids(IEnumerable<Replica> replicas) => replicas.Select(replica => replica.Metadata.Uid).Order();
}
