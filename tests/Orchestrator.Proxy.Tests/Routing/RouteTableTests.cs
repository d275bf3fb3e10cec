using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Routing;

public sealed class RouteTableTests : IDisposable
{
    private const int Shared = 8080;

    private readonly Routes _routes = new(Shared, new SharedRandom(1), TimeProvider.System);

    [Theory]
    [InlineData("shop.example.org", "/", "exact")]
    [InlineData("SHOP.Example.ORG", "/", "exact")]
    [InlineData("shop.example.org:8080", "/", "exact")]
    [InlineData("shop.example.org.", "/", "exact")]
    [InlineData("shop.example.org", "/cart", "cart")]
    [InlineData("shop.example.org", "/cart/", "cart")]
    [InlineData("shop.example.org", "/cart/items/7", "cart")]
    [InlineData("shop.example.org", "/cart/items/special", "special")]
    [InlineData("shop.example.org", "/cart/items/special/x/y/z", "special")]
    [InlineData("shop.example.org", "/cartoons", "exact")]
    [InlineData("shop.example.org", "/CART", "exact")]
    [InlineData("other.example.org", "/", "wildcard")]
    [InlineData("a.b.example.org", "/", "wildcard")]
    [InlineData("x.deep.example.org", "/", "longer wildcard")]
    [InlineData("example.org", "/", "any")]
    [InlineData("notexample.org", "/", "any")]
    [InlineData("", "/", "any")]
    [InlineData("[::1]:8080", "/", "any")]
    [InlineData("other.example.org", "/only-any", "wildcard")]
    [InlineData("part.example.net", "/api/v1", "part")]
    [InlineData("part.example.net", "/elsewhere", "any")]
    [InlineData("menu.example.net", "/café/list", "café")]
    [InlineData("any", "//cart", "any")]
    public void The_most_specific_host_and_then_the_longest_path_decides(string host, string path, string app)
    {
        Serve(
            ("exact", new RouteClaim(null, "shop.example.org", "/")),
            ("cart", new RouteClaim(null, "shop.example.org", "/cart")),
            ("special", new RouteClaim(null, "shop.example.org", "/cart/items/special")),
            ("wildcard", new RouteClaim(null, "*.example.org", "/")),
            ("longer wildcard", new RouteClaim(null, "*.deep.example.org", "/")),
            ("part", new RouteClaim(null, "part.example.net", "/api")),
            ("café", new RouteClaim(null, "menu.example.net", "/caf%C3%A9")),
            ("any", new RouteClaim(null, null, "/")),
            ("only-any", new RouteClaim(null, null, "/only-any")));

        Assert.Equal(app, Find(Shared, host, path));
    }

    [Fact]
    public void A_listener_of_an_apps_own_serves_that_app_only()
    {
        Serve(("shared", new RouteClaim(null, null, "/")), ("own", new RouteClaim(9090, null, "/")));

        Assert.Equal("shared", Find(Shared, "x", "/"));
        Assert.Equal("own", Find(9090, "x", "/"));
        Assert.Null(Find(9091, "x", "/"));
        Assert.Equal([9090], _routes.Table.OwnPorts);
    }

    [Fact]
    public void An_app_that_names_the_shared_port_is_served_there_where_no_other_is()
    {
        Serve(
            ("names it", new RouteClaim(Shared, null, "/")),
            ("names it too", new RouteClaim(Shared, "b", "/")),
            ("shared", new RouteClaim(null, null, "/")));

        Assert.Equal("shared", Find(Shared, "a", "/"));
        Assert.Equal("names it too", Find(Shared, "b", "/"));
        Assert.Empty(_routes.Table.OwnPorts);
    }

    [Fact]
    public void No_route_is_no_app()
    {
        Serve(("app", new RouteClaim(null, "a.example.org", "/deep/down")));

        Assert.Null(Find(Shared, "a.example.org", "/deep"));
        Assert.Null(Find(Shared, "b.example.org", "/deep/down"));
        Assert.Null(Find(Shared, "a.example.org", ""));
    }

    [Fact]
    public void A_path_of_slashes_costs_no_more_than_the_deepest_prefix()
    {
        Serve(("app", new RouteClaim(null, null, "/a/b")), ("root", new RouteClaim(null, null, "/")));

        Assert.Equal("root", Find(Shared, "x", new string('/', 100_000)));
        Assert.Equal("app", Find(Shared, "x", "/a/b" + new string('/', 100_000)));
    }

    public void Dispose() => _routes.Clear();

    private void Serve(params (string App, RouteClaim Claim)[] claims) =>
        _routes.ReplaceAll([.. claims.Select(one => new AppRoute(new ObjectKey("default", one.App), new Route(), [one.Claim], []))]);

    private string? Find(int port, string host, string path) => _routes.Table.Find(port, host, path)?.App.Key.Name;
}
