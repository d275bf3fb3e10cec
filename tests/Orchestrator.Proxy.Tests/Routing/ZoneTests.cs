using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Routing;

/// <summary>Which replicas a proxy prefers that knows its zone.</summary>
public sealed class ZoneTests
{
    private static readonly Route SameZone = new() { TrafficDistribution = TrafficDistributions.PreferSameZone };

    [Fact]
    public void Replicas_of_the_proxys_zone_get_all_of_its_requests()
    {
        using var app = App("a", SameZone, Endpoint("1", "a"), Endpoint("2", "b"), Endpoint("3", "a"), Endpoint("4", null));

        Assert.Equal(["1", "3"], Chosen(app));
    }

    [Theory]
    [InlineData("c", true)]
    [InlineData(null, true)]
    [InlineData("a", false)]
    public void Where_the_zone_has_none_or_is_not_known_or_the_app_does_not_ask_all_are_alike(string? zone, bool asks)
    {
        using var app = App(zone, asks ? SameZone : new Route(), Endpoint("1", "a"), Endpoint("2", "b"));

        Assert.Equal(["1", "2"], Chosen(app));
    }

    [Fact]
    public void A_change_of_the_route_counts_for_the_replicas_there_are()
    {
        using var app = App("a", new Route(), Endpoint("1", "a"), Endpoint("2", "b"));
        app.Obey(SameZone);
        Assert.Equal(["1"], Chosen(app));

        app.Obey(new Route());
        Assert.Equal(["1", "2"], Chosen(app));
    }

    [Fact]
    public void When_the_zones_replicas_are_avoided_the_others_are_asked()
    {
        using var app = App("a", SameZone, Endpoint("1", "a"), Endpoint("2", "b"), Endpoint("3", "c"));

        app.Avoid(app.Endpoints[0], AvoidReasons.NoConnection);
        Assert.Equal(["2", "3"], Chosen(app));

        app.Trust(app.Endpoints[0], AvoidReasons.NoConnection);
        Assert.Equal(["1"], Chosen(app));
    }

    [Fact]
    public void What_the_zones_replicas_have_no_room_for_goes_to_the_others_and_only_that()
    {
        using var app = App(
            "a",
            new Route { TrafficDistribution = TrafficDistributions.PreferSameZone, Limits = new() { RequestsPerReplica = 2 } },
            Endpoint("1", "a"), Endpoint("2", "b"));

        var held = Enumerable.Range(0, 4).Select(_ => app.Acquire(null)!).ToList();

        Assert.Equal(["1", "1", "2", "2"], held.Select(endpoint => endpoint.Id.Uid));
        Assert.Null(app.Acquire(client: null, tried: null, out var busy));
        Assert.True(busy);
        held[0].Leave();
        Assert.Equal("1", app.Acquire(null)!.Id.Uid);
    }

    [Fact]
    public void A_request_that_has_failed_in_the_zone_is_tried_on_another_host_there_and_then_elsewhere()
    {
        using var app = App("a", SameZone, Endpoint("1", "a"), Endpoint("2", "a"), Endpoint("3", "b"));
        var (first, second) = (app.Endpoints[0], app.Endpoints[1]);

        Assert.Same(second, app.Acquire([first]));
        Assert.Equal("3", app.Acquire([first, second])!.Id.Uid);
    }

    [Fact]
    public void A_canary_gets_its_share_whatever_zone_it_is_in_and_within_a_side_the_zone_counts()
    {
        using var app = App("a", SameZone);
        app.ReplaceEndpoints(
            [
                new(new("old-a", "10.0.0.1", 1, "r1", "a")), new(new("old-b", "10.0.0.2", 1, "r1", "b")),
                new(new("new-b", "10.0.0.3", 1, "r2", "b")), new(new("new-c", "10.0.0.4", 1, "r2", "c")),
            ],
            new TrafficSplit("r1", 50));

        Assert.Equal(["new-b", "new-c", "old-a"], Chosen(app));
    }

    [Fact]
    public void The_same_replica_for_the_same_key_goes_before_the_zone()
    {
        using var app = App(
            "a",
            new Route { TrafficDistribution = TrafficDistributions.PreferSameZone, Balancing = BalancingPolicies.ConsistentHash },
            Endpoint("1", "a"), Endpoint("2", "b"), Endpoint("3", "c"));

        var chosen = Enumerable.Range(0, 100).Select(i => app.Acquire(new System.Net.IPAddress([10, 0, 0, (byte)i]), null, out _)!.Id.Uid);

        Assert.Equal(3, chosen.Distinct().Count());
    }

    private static AppState App(string? zone, Route route, params ReplicaEndpoint[] endpoints)
    {
        var app = new AppState(new ObjectKey("default", "web"), new SharedRandom(1), TimeProvider.System, zone);
        app.Obey(route);
        app.ReplaceEndpoints(endpoints, split: null);
        return app;
    }

    /// <summary>Each on a host of its own.</summary>
    private static ReplicaEndpoint Endpoint(string name, string? zone)
    {
        var id = new EndpointId(name, $"10.0.0.{name}", 80, Zone: zone);
        return new(id) { Host = new(id.Address, TimeProvider.System) };
    }

    /// <summary>Of many requests that come at a time, whom they go to.</summary>
    private static IEnumerable<string> Chosen(AppState app)
    {
        var acquired = Enumerable.Range(0, 200).Select(_ => app.Acquire(null)!).ToList();
        acquired.ForEach(endpoint => endpoint.Leave());
        return acquired.Select(endpoint => endpoint.Id.Uid).Distinct().Order();
    }
}
