using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Tcp;

/// <summary>Which replica a connection goes to, and what becomes of one for which there is none.</summary>
public sealed class TcpForwarderTests
{
    [Theory]
    [InlineData(BalancingPolicies.PowerOfTwoChoices)]
    [InlineData(BalancingPolicies.LeastRequests)]
    [InlineData(BalancingPolicies.RoundRobin)]
    public async Task Connections_that_stay_open_are_spread_evenly(string balancing)
    {
        await using var one = new TcpReplica("one");
        await using var two = new TcpReplica("two");
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(new Route { Balancing = balancing }, one.Id, two.Id);

        var users = new List<TcpUser>();
        for (var i = 0; i < 10; i++)
        {
            users.Add(await proxy.ConnectAsync());
            await users[^1].ReceiveLineAsync();
        }

        Assert.Equal((5, 5), (one.Accepted, two.Accepted));
        users.ForEach(user => user.Dispose());
        await Eventually.True(() => proxy.Ended(TcpEnd.Closed) == 10);
    }

    [Fact]
    public async Task By_hash_a_client_comes_to_the_same_replica_each_time_and_to_another_when_that_goes()
    {
        await using var one = new TcpReplica("one");
        await using var two = new TcpReplica("two");
        await using var three = new TcpReplica("three");
        await using var proxy = await TcpProxy.StartAsync();
        var route = new Route { Balancing = BalancingPolicies.ConsistentHash };
        await proxy.ServeAsync(route, one.Id, two.Id, three.Id);

        var names = new HashSet<string>();
        for (var i = 0; i < 10; i++)
        {
            names.Add(await GreetingAsync(proxy));
        }

        var kept = Assert.Single(names);
        for (var i = 2; i < 30; i++)
        {
            names.Add(await GreetingAsync(proxy, $"127.0.0.{i}"));
        }

        Assert.Equal(3, names.Count);
        await proxy.ServeAsync(route, [.. new[] { one, two, three }.Where(replica => replica.Name != kept).Select(replica => replica.Id)]);
        Assert.NotEqual(kept, await GreetingAsync(proxy));
    }

    [Fact]
    public async Task A_replica_that_takes_no_connection_is_passed_over_and_avoided_from_then_on()
    {
        await using var one = new TcpReplica("one");
        await using var proxy = await TcpProxy.StartAsync();
        var refusing = TestProxy.Refusing();
        await proxy.ServeAsync(new Route { Balancing = BalancingPolicies.RoundRobin }, refusing, one.Id);

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal("one", await GreetingAsync(proxy));
        }

        Assert.Equal(1, proxy.App.Metrics.Retries.Value);
        Assert.True(proxy.App.Endpoints[0].IsSuspect);
        Assert.Equal(0, proxy.App.Endpoints[0].InFlight);
        await Eventually.True(() => proxy.Ended(TcpEnd.Closed) == 4);
    }

    [Fact]
    public async Task A_replica_that_does_not_answer_in_time_is_passed_over_too()
    {
        using var full = new FullBacklog();
        await using var one = new TcpReplica("one");
        await using var proxy = await TcpProxy.StartAsync(options => options with { ConnectTimeout = TimeSpan.FromMilliseconds(100) });
        await proxy.ServeAsync(new Route { Balancing = BalancingPolicies.RoundRobin }, full.Id, one.Id);

        Assert.Equal("one", await GreetingAsync(proxy));
        Assert.Equal("one", await GreetingAsync(proxy));
    }

    [Fact]
    public async Task Where_none_takes_it_the_client_is_reset()
    {
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(TestProxy.Refusing("a"), TestProxy.Refusing("b"), TestProxy.Refusing("c"), TestProxy.Refusing("d"));

        await proxy.IsResetAsync();

        await Eventually.True(() => proxy.Ended(TcpEnd.ConnectFailed) == 1);
        Assert.Equal(2, proxy.App.Metrics.Retries.Value);
        Assert.Equal(3, proxy.App.Endpoints.Count(endpoint => endpoint.IsSuspect));
    }

    [Fact]
    public async Task Without_a_replica_the_client_is_reset_and_the_port_stays_open()
    {
        await using var one = new TcpReplica("one");
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync();

        await proxy.IsResetAsync();

        await Eventually.True(() => proxy.Ended(TcpEnd.NoReadyReplica) == 1);
        await proxy.ServeAsync(one.Id);
        Assert.Equal("one", await GreetingAsync(proxy));
    }

    [Fact]
    public async Task Connections_wait_for_the_first_replica_of_an_app_that_scales_from_zero_and_who_goes_is_let_go()
    {
        await using var one = new TcpReplica("one", TcpReplica.EchoAsync);
        await using var proxy = await TcpProxy.StartAsync();
        var holding = new Traffic(Split: null, Canary: null, new TrafficWish(Latencies: false, Holds: true));
        await proxy.ServeAsync(new Route(), holding);
        using var waits = await proxy.ConnectAsync();
        using var goes = await proxy.ConnectAsync();
        await waits.SendAsync("first words");
        waits.EndSending();
        await Eventually.True(() => proxy.App.Held.Waiting == 2);

        goes.Reset();
        await Eventually.True(() => proxy.App.Held.Waiting == 1);
        await proxy.ServeAsync(new Route(), holding, one.Id);

        Assert.Equal("first words", await waits.ReceiveToEndAsync());
        await Eventually.True(() => proxy.Ended(TcpEnd.ClientReset) == 1 && proxy.Ended(TcpEnd.Closed) == 1);
    }

    [Fact]
    public async Task No_replica_gets_more_connections_than_it_may_others_wait_their_turn_and_too_many_are_reset()
    {
        await using var one = new TcpReplica("one");
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(new Route { Limits = new() { RequestsPerReplica = 1, QueueLength = 1, QueueMilliseconds = 60_000 } }, one.Id);
        var first = await proxy.ConnectAsync();
        Assert.Equal("one", await first.ReceiveLineAsync());
        using var second = await proxy.ConnectAsync();
        await Eventually.True(() => proxy.App.Waiting.Count == 1);

        await proxy.IsResetAsync();
        Assert.Equal(1, one.Accepted);
        first.Dispose();

        Assert.Equal("one", await second.ReceiveLineAsync());
        await Eventually.True(() => proxy.Ended(TcpEnd.Busy) == 1 && proxy.App.Metrics.Refused("busy").Value == 1);
    }

    [Fact]
    public async Task A_client_gets_as_many_connections_as_the_rate_allows()
    {
        await using var one = new TcpReplica("one");
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(new Route { RateLimit = new() { RequestsPerSecond = 1, Burst = 2, By = RateLimitKeys.Client } }, one.Id);
        Assert.Equal("one", await GreetingAsync(proxy));
        Assert.Equal("one", await GreetingAsync(proxy));

        await proxy.IsResetAsync();

        await Eventually.True(() => proxy.Ended(TcpEnd.RateLimited) == 1 && proxy.App.Metrics.Refused("rate").Value == 1);
    }

    [Fact]
    public async Task A_canary_gets_its_share_of_the_connections_and_how_they_end_is_counted()
    {
        await using var stable = new TcpReplica("stable");
        await using var canary = new TcpReplica("canary", async socket =>
        {
            await socket.ReceiveAsync(new byte[1]);
            socket.Close(timeout: 0);
        });
        await using var proxy = await TcpProxy.StartAsync();
        var since = new DateTime(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);
        await proxy.ServeAsync(
            new Route(), new Traffic(new TrafficSplit("r1", 20), new CanaryPeriod("r1", "r2", since)), stable.Of("r1"), canary.Of("r2"));

        for (var i = 0; i < 100; i++)
        {
            using var user = await proxy.ConnectAsync();
            await user.SendAsync("?");
            await user.Socket.ReceiveAsync(new byte[1]).ContinueWith(static _ => { }, TaskScheduler.Default);
        }

        // The proxy's random source is seeded.
        Assert.InRange(canary.Accepted, 10, 30);
        Assert.Equal(100, stable.Accepted + canary.Accepted);
        await Eventually.True(() => proxy.App.Canary!.Read() is { Canary: { } ofCanary, Stable: { } ofStable }
            && (ofCanary.Requests, ofCanary.Errors, ofStable.Requests, ofStable.Errors) == (canary.Accepted, canary.Accepted, stable.Accepted, 0));
    }

    [Fact]
    public async Task Open_connections_are_what_is_in_flight()
    {
        await using var one = new TcpReplica("one");
        FakeTimeProvider clock = new();
        await using var proxy = await TcpProxy.StartAsync(clockOfRoutes: clock);
        await proxy.ServeAsync(one.Id);
        using var first = await proxy.ConnectAsync();
        using var second = await proxy.ConnectAsync();
        await first.ReceiveLineAsync();
        await second.ReceiveLineAsync();

        Assert.Equal(2, proxy.Proxy.Routes.RequestsInFlight);
        proxy.App.Traffic.Sample();
        clock.Advance(TrafficCounts.LeastWindow);
        proxy.App.Traffic.Sample();
        Assert.Equal(2, proxy.App.Traffic.Read(0).InFlight);
    }

    private static async Task<string> GreetingAsync(TcpProxy proxy, string from = "127.0.0.1")
    {
        using var user = await proxy.ConnectAsync(from);
        return await user.ReceiveLineAsync();
    }
}
