using System.Diagnostics;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Routing;

/// <summary>10,000 apps with five replicas each. The limits are several times what it takes, so that a busy machine does not fail them.</summary>
public sealed class RouteScaleTests(ITestOutputHelper output)
{
    private const int Apps = 10_000;
    private const int Replicas = 5;

    [Fact]
    public void With_ten_thousand_routes_a_change_of_endpoints_costs_as_little_as_with_ten()
    {
        var routes = new Routes(8080, new SharedRandom(1), TimeProvider.System);
        var wanted = Enumerable.Range(0, Apps).Select(Route).ToList();
        routes.ReplaceAll(wanted);
        routes.ReplaceEndpoints(Key(1), [], default);

        var change = Shortest(i => routes.ReplaceEndpoints(Key(i), [new EndpointId($"new-{i}", "10.1.0.1", 80)], default));
        var add = Shortest(i => routes.ReplaceAll([.. wanted.Select(route => route with { Endpoints = null }), Route(Apps + i)]));
        var find = Shortest(i =>
        {
            for (var n = 0; n < 1000; n++)
            {
                Assert.NotNull(routes.Table.Find(8080, "app-5000.example.org", "/some/path"));
            }
        });

        output.WriteLine($"endpoint change {change.TotalMilliseconds:F3} ms, route added {add.TotalMilliseconds:F1} ms, 1000 look-ups {find.TotalMilliseconds:F3} ms");
        Assert.InRange(change.TotalMilliseconds, 0, 10);
        Assert.InRange(add.TotalMilliseconds, 0, 200);
        Assert.InRange(find.TotalMilliseconds, 0, 20);
        routes.Clear();
    }

    [Fact]
    public void Claims_of_ten_thousand_apps_are_decided_within_a_fraction_of_a_second()
    {
        var apps = Enumerable.Range(0, Apps).Select(i => new WebApp
        {
            Metadata = { Name = $"app-{i}", NamespaceProperty = "default", CreationTimestamp = new DateTime(2026, 1, 1, 0, 0, i % 60, DateTimeKind.Utc) },
            Spec = { Route = new Route { Hosts = [$"app-{i / 2}.example.org"] } },
        }).ToList();

        var assigned = Shortest(_ => RouteClaims.Assign(apps));

        output.WriteLine($"claims assigned in {assigned.TotalMilliseconds:F1} ms");
        Assert.Equal(Apps / 2, RouteClaims.Assign(apps).Holders.Count);
        Assert.InRange(assigned.TotalMilliseconds, 0, 200);
    }

    private static TimeSpan Shortest(Action<int> act) => Enumerable.Range(0, 5).Min(i =>
    {
        var watch = Stopwatch.StartNew();
        act(i);
        return watch.Elapsed;
    });

    private static ObjectKey Key(int i) => new("default", $"app-{i}");

    private static AppRoute Route(int i) => new(
        Key(i),
        new Route(),
        [new RouteClaim(null, $"app-{i}.example.org", "/")],
        [.. Enumerable.Range(0, Replicas).Select(n => new EndpointId($"{i}-{n}", $"10.0.{i % 200}.{n}", 20000 + (i % 10000)))]);
}
