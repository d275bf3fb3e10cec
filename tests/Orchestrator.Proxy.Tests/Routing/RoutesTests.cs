using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Routing;

public sealed class RoutesTests : IDisposable
{
    private static readonly ObjectKey Web = new("default", "web");

    private readonly Routes _routes = new(8080, new SharedRandom(1), TimeProvider.System);

    [Fact]
    public void An_endpoint_that_stays_is_the_same_object_with_its_count()
    {
        Serve(Id("a"), Id("b"));
        var before = App().Endpoints.Single(endpoint => endpoint.Id.Uid == "a");
        Assert.True(before.TryEnter());

        Serve(Id("a"), Id("c"));

        Assert.Same(before, App().Endpoints.Single(endpoint => endpoint.Id.Uid == "a"));
        Assert.Equal(1, before.InFlight);
    }

    [Fact]
    public void A_replica_is_drained_when_it_is_out_of_the_table_and_its_last_request_has_ended()
    {
        var told = 0;
        _routes.Drained += () => told++;
        Serve(Id("a"));
        var endpoint = App().Acquire(null);
        Assert.NotNull(endpoint);
        Assert.False(_routes.IsDrained("a"));

        Serve(Id("b"));
        Assert.False(_routes.IsDrained("a"));
        Assert.Equal(0, told);

        endpoint.Leave();
        Assert.Equal(1, told);
        Assert.True(_routes.IsDrained("a"));
        Assert.True(_routes.IsDrained("never seen"));
    }

    [Fact]
    public void Kept_connections_are_closed_before_a_replica_counts_as_drained()
    {
        using var connections = new Connections();
        var closedWhenTold = false;
        _routes.Drained += () => closedWhenTold = connections.IsClosed;
        Serve(Id("a"));
        var endpoint = App().Acquire(null)!;
        Assert.Same(connections, endpoint.Keep(connections));
        using var others = new Connections();
        Assert.Same(connections, endpoint.Keep(others));
        Assert.True(others.IsClosed);

        Serve();
        Assert.False(connections.IsClosed);
        endpoint.Leave();

        Assert.True(closedWhenTold);
    }

    [Fact]
    public void Kept_connections_of_an_idle_replica_are_closed_when_it_goes()
    {
        using var connections = new Connections();
        Serve(Id("a"));
        var endpoint = App().Acquire(null)!;
        endpoint.Keep(connections);
        endpoint.Leave();
        Assert.False(connections.IsClosed);

        Serve();

        Assert.True(connections.IsClosed);
        Assert.Null(endpoint.Connections);
    }

    [Fact]
    public void A_replica_that_came_back_at_another_place_is_drained_when_both_are()
    {
        Serve(Id("a", port: 1));
        var first = App().Acquire(null)!;
        Serve(Id("a", port: 2));
        var second = App().Acquire(null)!;
        Serve();

        first.Leave();
        Assert.False(_routes.IsDrained("a"));
        second.Leave();
        Assert.True(_routes.IsDrained("a"));
    }

    [Fact]
    public void A_retired_endpoint_takes_no_request()
    {
        Serve(Id("a"));
        var endpoint = App().Endpoints[0];
        Serve();

        Assert.False(endpoint.TryEnter());
        Assert.Equal(0, endpoint.InFlight);
        Assert.Null(App().Acquire(null));
    }

    [Fact]
    public void An_app_without_a_route_any_more_is_gone_and_its_replicas_drained()
    {
        Serve(Id("a"));

        _routes.ReplaceAll([]);

        Assert.Empty(_routes.Table.Apps);
        Assert.True(_routes.IsDrained("a"));
    }

    [Fact]
    public void Suspects_are_avoided_while_there_are_others_and_used_when_there_are_none()
    {
        Serve(Id("a"), Id("b"));
        var (a, b) = (App().Endpoints[0], App().Endpoints[1]);
        App().Avoid(a, AvoidReasons.NoConnection);
        Assert.All(Enumerable.Range(0, 50), _ => Assert.Same(b, App().Acquire(null)));

        App().Avoid(b, AvoidReasons.NoConnection);
        Assert.Contains(a, Enumerable.Range(0, 50).Select(_ => App().Acquire(null)));

        App().Trust(a, AvoidReasons.NoConnection);
        Assert.All(Enumerable.Range(0, 50), _ => Assert.Same(a, App().Acquire(null)));
    }

    [Fact]
    public void What_has_been_tried_is_not_chosen_again_even_if_there_is_nothing_else()
    {
        Serve(Id("a"), Id("b"));
        var (a, b) = (App().Endpoints[0], App().Endpoints[1]);

        Assert.Same(b, App().Acquire([a]));
        Assert.Null(App().Acquire([a, b]));
    }

    [Fact]
    public async Task No_request_slips_into_an_endpoint_that_counts_as_drained()
    {
        for (var round = 0; round < 200; round++)
        {
            Serve(Id("a"), Id("b"));
            var app = App();
            using var begin = new Barrier(2);
            var slipped = 0;
            var requests = Task.Run(() =>
            {
                begin.SignalAndWait(TestContext.Current.CancellationToken);
                for (var i = 0; i < 100; i++)
                {
                    var endpoint = app.Acquire(null)!;
                    if (endpoint.Id.Uid == "a" && _routes.IsDrained("a"))
                    {
                        slipped++;
                    }

                    endpoint.Leave();
                }
            }, TestContext.Current.CancellationToken);
            begin.SignalAndWait(TestContext.Current.CancellationToken);
            Serve(Id("b"));
            await requests;

            Assert.Equal(0, slipped);
            Assert.True(_routes.IsDrained("a"));
        }
    }

    public void Dispose() => _routes.Clear();

    private static EndpointId Id(string uid, int port = 80) => new(uid, "10.0.0.1", port);

    private AppState App() => Assert.Single(_routes.Table.Apps);

    private void Serve(params EndpointId[] endpoints) =>
        _routes.ReplaceAll([new AppRoute(Web, new Route(), [new RouteClaim(null, null, "/")], endpoints)]);

    private sealed class Connections() : HttpMessageInvoker(new SocketsHttpHandler())
    {
        public bool IsClosed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsClosed = true;
            base.Dispose(disposing);
        }
    }
}
