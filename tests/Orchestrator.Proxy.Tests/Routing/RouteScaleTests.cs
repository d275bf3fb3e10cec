using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Routing;

/// <summary>Work by what it allocates, which no other process changes; times are <c>make bench-routes</c>'.</summary>
public sealed class RouteScaleTests(ITestOutputHelper output)
{
    private const int Few = 10;
    private const int Many = 10_000;
    private const int Replicas = 5;

    [Fact]
    public void With_ten_thousand_routes_a_change_of_endpoints_costs_as_little_as_with_ten()
    {
        var (few, many) = (ChangeOfEndpoints(Few), ChangeOfEndpoints(Many));

        output.WriteLine($"{few} bytes with {Few} routes, {many} with {Many}");
        Assert.InRange(many, 1, 2 * few);
    }

    [Fact]
    public void A_look_up_among_ten_thousand_routes_allocates_no_more_than_among_ten()
    {
        var (few, many) = (LookUp(Few), LookUp(Many));

        output.WriteLine($"{few} bytes among {Few} routes, {many} among {Many}");
        Assert.InRange(many, 0, few);
    }

    [Fact]
    public void Claims_of_ten_times_the_apps_cost_ten_times_as_much()
    {
        var (some, many) = (Claims(Many / 10), Claims(Many));

        output.WriteLine($"{some} bytes for {Many / 10} apps, {many} for {Many}");
        Assert.InRange(many, 1, 15 * some);
        Assert.Equal(Many / 2, RouteClaims.Assign(Claiming(Many)).Holders.Count);
    }

    private static long ChangeOfEndpoints(int apps)
    {
        var routes = RoutesOf(apps);
        var bytes = Least(i => routes.ReplaceEndpoints(Key(i), [new EndpointId($"new-{i}", "10.1.0.1", 80)], default));
        routes.Clear();
        return bytes;
    }

    private static long LookUp(int apps)
    {
        var routes = RoutesOf(apps);
        var bytes = Least(_ => Assert.NotNull(routes.Table.Find(8080, "app-5.example.org", "/some/path")));
        routes.Clear();
        return bytes;
    }

    private static long Claims(int apps)
    {
        var claiming = Claiming(apps);
        return Least(_ => RouteClaims.Assign(claiming));
    }

    /// <summary>Of several times: the first ones make what is kept.</summary>
    private static long Least(Action<int> act) => Enumerable.Range(0, 5).Min(i =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        act(i);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });

    private static Routes RoutesOf(int apps)
    {
        var routes = new Routes(8080, new SharedRandom(1), TimeProvider.System);
        routes.ReplaceAll([.. Enumerable.Range(0, apps).Select(Route)]);
        return routes;
    }

    private static List<WebApp> Claiming(int apps) =>
    [
        .. Enumerable.Range(0, apps).Select(i => new WebApp
        {
            Metadata = { Name = $"app-{i}", NamespaceProperty = "default", CreationTimestamp = new DateTime(2026, 1, 1, 0, 0, i % 60, DateTimeKind.Utc) },
            Spec = { Route = new Route { Hosts = [$"app-{i / 2}.example.org"] } },
        }),
    ];

    private static ObjectKey Key(int i) => new("default", $"app-{i}");

    private static AppRoute Route(int i) => new(
        Key(i),
        new Route(),
        [new RouteClaim(null, $"app-{i}.example.org", "/")],
        [.. Enumerable.Range(0, Replicas).Select(n => new EndpointId($"{i}-{n}", $"10.0.{i % 200}.{n}", 20000 + (i % 10000)))]);
}
