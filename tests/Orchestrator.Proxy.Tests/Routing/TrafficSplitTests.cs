using CsCheck;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Routing;

public sealed class TrafficSplitTests : IDisposable
{
    private readonly Routes _routes = new(8080, new SharedRandom(1), TimeProvider.System);

    public static TheoryData<string> Policies =>
        [BalancingPolicies.PowerOfTwoChoices, BalancingPolicies.LeastRequests, BalancingPolicies.RoundRobin, BalancingPolicies.Random];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Each_side_gets_its_share_whatever_its_number_of_endpoints_and_shares_it_evenly(string policy)
    {
        const int requests = 100_000;
        Serve(Split(10), [Stable("a"), Stable("b"), Stable("c"), Stable("d"), Other("x"), Other("y", "r3")], policy);

        var shares = Enumerable.Range(0, requests).Select(_ => Ask()!).CountBy(uid => uid).ToDictionary();

        Assert.All(["a", "b", "c", "d"], uid => Assert.InRange(shares[uid], requests * 0.225 * 0.95, requests * 0.225 * 1.05));
        Assert.All(["x", "y"], uid => Assert.InRange(shares[uid], requests * 0.05 * 0.9, requests * 0.05 * 1.1));
    }

    [Theory]
    [InlineData(0, "a")]
    [InlineData(100, "x")]
    public void At_the_ends_of_the_scale_one_side_gets_all(int weight, string served)
    {
        Serve(Split(weight), [Stable("a"), Other("x")]);

        Assert.All(Many, _ => Assert.Equal(served, Ask()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(100)]
    public void A_side_without_endpoints_leaves_all_to_the_other(int weight)
    {
        Serve(Split(weight), [Stable("a")]);
        Assert.All(Many, _ => Assert.Equal("a", Ask()));

        Serve(Split(weight), [Other("x")]);
        Assert.All(Many, _ => Assert.Equal("x", Ask()));
    }

    [Fact]
    public void A_side_of_which_none_takes_connections_leaves_all_to_the_other()
    {
        Serve(Split(0), [Stable("a"), Stable("b"), Other("x")]);
        Suspect("a");
        Assert.All(Many, _ => Assert.Equal("b", Ask()));

        Suspect("b");
        Assert.All(Many, _ => Assert.Equal("x", Ask()));

        // Now none is better than another, and the weight counts again.
        Suspect("x");
        Assert.Equal(["a", "b"], Many.Select(_ => Ask()).Distinct().Order());

        Serve(Split(100), [Stable("a"), Stable("b"), Other("x")]);
        App.Trust(Endpoint("a"), AvoidReasons.NoConnection);
        Assert.All(Many, _ => Assert.Equal("a", Ask()));
    }

    [Fact]
    public void A_request_that_failed_is_tried_on_the_stable_side_first_and_on_the_other_in_the_end()
    {
        Serve(Split(100), [Stable("a"), Other("x"), Other("y")]);

        Assert.All(Many, _ => Assert.Equal("a", Ask("x")));
        Assert.All(Many, _ => Assert.Equal("y", Ask("x", "a")));
        Assert.Null(Ask("x", "a", "y"));
    }

    [Fact]
    public void Nothing_that_serves_is_left_unused_and_nothing_is_tried_twice() =>
        Gen.Select(
            Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, (stable, suspect, tried) => (Stable: stable, Suspect: suspect, Tried: tried)).Array[0, 6],
            Gen.Int[-1, 100]).Sample(
            (replicas, weight) =>
            {
                _routes.Clear();
                Serve(
                    weight < 0 ? null : Split(weight),
                    [.. replicas.Select((replica, i) => replica.Stable ? Stable($"{i}") : Other($"{i}"))]);
                var marked = App.Endpoints.Zip(replicas, (endpoint, replica) => (Endpoint: endpoint, replica.Suspect, replica.Tried)).ToList();
                marked.Where(one => one.Suspect).ToList().ForEach(one => App.Avoid(one.Endpoint, AvoidReasons.NoConnection));
                var tried = marked.Where(one => one.Tried).Select(one => one.Endpoint).ToList();
                var left = marked.Where(one => !one.Tried).ToList();

                var chosen = App.Acquire(tried.Count == 0 ? null : tried);

                return chosen is null
                    ? left.Count == 0
                    : !tried.Contains(chosen) && (!chosen.IsSuspect || left.TrueForAll(one => one.Suspect));
            },
            threads: 1);

    [Fact]
    public void Only_where_there_is_something_to_share_a_side_is_drawn()
    {
        var random = new CountedRandom();
        using var app = new AppState(new ObjectKey("default", "drawn"), random, TimeProvider.System);
        app.Obey(new Route { Balancing = BalancingPolicies.RoundRobin });
        var (stable, other) = (new ReplicaEndpoint(Stable("a")), new ReplicaEndpoint(Other("x")));

        app.ReplaceEndpoints([stable, other], split: null);
        app.Acquire(null);
        app.ReplaceEndpoints([stable], Split(10));
        app.Acquire(null);
        Assert.Equal(0, random.Draws);

        app.ReplaceEndpoints([stable, other], Split(10));
        app.Acquire(null);
        Assert.Equal(1, random.Draws);
    }

    [Fact]
    public void Another_weight_leaves_endpoints_and_what_is_in_flight_as_they_are()
    {
        EndpointId[] endpoints = [Stable("a"), Other("x")];
        Serve(Split(100), endpoints);
        var (before, table) = (App.Endpoints.ToList(), _routes.Table);
        Assert.Equal("x", App.Acquire(null)?.Id.Uid);

        _routes.ReplaceEndpoints(App.Key, endpoints, new Traffic(Split(0), null));

        Assert.Equal("a", App.Acquire(null)?.Id.Uid);
        Assert.Equal(before, App.Endpoints);
        Assert.Equal([1, 1], before.Select(endpoint => endpoint.InFlight));
        Assert.DoesNotContain(before, endpoint => endpoint.IsRetired);
        Assert.Same(table, _routes.Table);

        _routes.ReplaceEndpoints(App.Key, endpoints, default);
        Assert.Equal(["a", "x"], Many.Select(_ => Ask()).Distinct().Order());
    }

    [Fact]
    public void Another_table_takes_the_weight_though_the_endpoints_stay()
    {
        Serve(Split(100), [Stable("a"), Other("x")]);

        _routes.ReplaceAll([new AppRoute(App.Key, new Route(), App.Claims, Endpoints: null, new Traffic(Split(0), null))]);

        Assert.All(Many, _ => Assert.Equal("a", Ask()));
    }

    public void Dispose() => _routes.Clear();

    private static IEnumerable<int> Many => Enumerable.Range(0, 100);

    private AppState App => Assert.Single(_routes.Table.Apps);

    private static TrafficSplit Split(int others) => new("r1", others);

    private static EndpointId Stable(string uid) => new(uid, "10.0.0.1", 80, "r1");

    private static EndpointId Other(string uid, string revision = "r2") => new(uid, "10.0.0.1", 80, revision);

    private void Serve(TrafficSplit? split, EndpointId[] endpoints, string? policy = null) => _routes.ReplaceAll(
        [new AppRoute(new ObjectKey("default", "split"), new Route { Balancing = policy }, [new RouteClaim(null, null, "/")], endpoints, new Traffic(split, null))]);

    private ReplicaEndpoint Endpoint(string uid) => App.Endpoints.Single(endpoint => endpoint.Id.Uid == uid);

    private void Suspect(string uid) => App.Avoid(Endpoint(uid), AvoidReasons.NoConnection);

    /// <summary>A request that is answered at once.</summary>
    private string? Ask(params string[] tried)
    {
        var endpoint = App.Acquire(tried.Length == 0 ? null : [.. tried.Select(Endpoint)]);
        endpoint?.Leave();
        return endpoint?.Id.Uid;
    }

    private sealed class CountedRandom() : Random(1)
    {
        public int Draws { get; private set; }

        public override int Next(int maxValue)
        {
            Draws++;
            return base.Next(maxValue);
        }
    }
}
