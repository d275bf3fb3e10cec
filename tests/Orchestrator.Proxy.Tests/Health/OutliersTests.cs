using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Health;

public sealed class OutliersTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replica_that_fails_where_the_others_do_not_is_avoided_for_longer_each_time()
    {
        var (time, broken) = (new FakeTimeProvider(), true);
        await using var bad = await ReplicaServer.StartAsync("bad", context =>
        {
            context.Response.StatusCode = broken ? 500 : 200;
            return Task.CompletedTask;
        });
        await using var good = await ReplicaServer.StartAsync("good");
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(BalancingPolicies.RoundRobin, bad.Id, good.Id);

        await AskAsync(proxy, 30);
        Assert.Equal(5, bad.Requests);
        Assert.Equal(AvoidReasons.Outlier, proxy.App.Endpoints[0].Avoided);
        Assert.Equal(1, proxy.App.Metrics.Ejections("errors").Value);

        time.Advance(TimeSpan.FromSeconds(10));
        proxy.Outliers.Look(proxy.App);
        Assert.Equal(AvoidReasons.None, proxy.App.Endpoints[0].Avoided);
        await AskAsync(proxy, 30);
        Assert.Equal(10, bad.Requests);

        // Twice as long now.
        time.Advance(TimeSpan.FromSeconds(19));
        proxy.Outliers.Look(proxy.App);
        Assert.Equal(AvoidReasons.Outlier, proxy.App.Endpoints[0].Avoided);
        time.Advance(TimeSpan.FromSeconds(1));
        broken = false;
        proxy.Outliers.Look(proxy.App);
        await AskAsync(proxy, 30);
        Assert.Equal(25, bad.Requests);
        Assert.Equal(2, proxy.App.Metrics.Ejections("errors").Value);
    }

    [Fact]
    public async Task What_fails_everywhere_is_the_apps_trouble_and_nobody_is_avoided()
    {
        RequestDelegate fail = static context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await using var a = await ReplicaServer.StartAsync("a", fail);
        await using var b = await ReplicaServer.StartAsync("b", fail);
        await using var c = await ReplicaServer.StartAsync("c", fail);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(a.Id, b.Id, c.Id);

        await AskAsync(proxy, 100);

        Assert.DoesNotContain(proxy.App.Endpoints, endpoint => endpoint.IsSuspect);
    }

    [Fact]
    public async Task Never_more_than_half_are_avoided_and_the_only_one_never()
    {
        RequestDelegate fail = static context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        };
        await using var a = await ReplicaServer.StartAsync("a", fail);
        await using var b = await ReplicaServer.StartAsync("b", fail);
        await using var good = await ReplicaServer.StartAsync("good");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, a.Id, b.Id, good.Id);

        await AskAsync(proxy, 60);
        Assert.Single(proxy.App.Endpoints, endpoint => endpoint.IsSuspect);

        proxy.Serve(BalancingPolicies.RoundRobin, TestProxy.Refusing("only"));
        await AskAsync(proxy, 10);
        Assert.Equal(AvoidReasons.NoConnection, proxy.App.Endpoints[0].Avoided);
    }

    [Theory]
    [InlineData(400, true)]
    [InlineData(115, false)]
    public void The_slowest_is_avoided_if_it_is_many_times_as_slow_as_the_others(int milliseconds, bool avoided)
    {
        var time = new FakeTimeProvider();
        var routes = new Routes(0, new Proxy.Balancing.SharedRandom(1), time);
        routes.ReplaceAll([new AppRoute(new("default", "slow"), new Route(), [new RouteClaim(null, null, "/")], [Id("a"), Id("b"), Id("c"), Id("d")])]);
        var app = Assert.Single(routes.Table.Apps);
        var outliers = new Proxy.Health.Outliers(routes, Microsoft.Extensions.Logging.Abstractions.NullLogger<Proxy.Health.Outliers>.Instance, time);
        for (var i = 0; i < 50; i++)
        {
            foreach (var endpoint in app.Endpoints)
            {
                outliers.Answered(app, endpoint, 200, TimeSpan.FromMilliseconds(endpoint.Id.Uid == "c" ? milliseconds : 20 + (i % 5)));
            }
        }

        outliers.Look(app);

        Assert.Equal(avoided, app.Endpoints[2].IsSuspect);
        Assert.Equal(avoided ? 1 : 0, app.Endpoints.Count(endpoint => endpoint.IsSuspect));

        // When its time is over it begins anew: what was is not held against it.
        time.Advance(TimeSpan.FromSeconds(10));
        outliers.Look(app);
        outliers.Look(app);
        Assert.DoesNotContain(app.Endpoints, endpoint => endpoint.IsSuspect);
        routes.Clear();
    }

    [Fact]
    public async Task Both_can_be_turned_off()
    {
        await using var bad = await ReplicaServer.StartAsync("bad", static context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        });
        await using var good = await ReplicaServer.StartAsync("good");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(
            new Route { Balancing = BalancingPolicies.RoundRobin, OutlierDetection = new() { ConsecutiveErrors = 0, LatencyFactor = 0 } }, bad.Id, good.Id);

        await AskAsync(proxy, 40);

        Assert.Equal(20, bad.Requests);
    }

    private static EndpointId Id(string uid) => new(uid, "10.0.0.1", 80);

    private static async Task AskAsync(TestProxy proxy, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var answer = await proxy.Client.GetAsync("/", Cancellation);
        }
    }
}
