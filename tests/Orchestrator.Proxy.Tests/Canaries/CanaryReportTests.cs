using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Canaries;

public sealed class CanaryReportTests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    private readonly Routes _routes = new(8080, new SharedRandom(1), TimeProvider.System);

    [Fact]
    public void All_canaries_are_told_and_apps_without_one_are_not()
    {
        Serve(("a", Noon), ("b", null), ("c", Noon));

        Assert.Equal(["default/a", "default/c"], Told(room: 10_000));
        Assert.Equal(CanaryReport.Write(_routes.Table.Apps, 10_000), CanaryObservation.Write(CanaryObservation.Read(CanaryReport.Write(_routes.Table.Apps, 10_000))));
    }

    [Fact]
    public void Without_a_canary_there_is_nothing_to_tell()
    {
        Serve(("a", null));

        Assert.Equal("", CanaryReport.Write(_routes.Table.Apps, 10_000));
    }

    [Fact]
    public void Where_there_is_no_room_for_all_the_oldest_are_told_and_the_room_is_kept_to()
    {
        Serve(("a", Noon.AddMinutes(2)), ("b", Noon), ("c", Noon.AddMinutes(1)), ("d", Noon));
        var all = CanaryReport.Write(_routes.Table.Apps, 10_000).Length;

        Assert.Equal(["default/a", "default/b", "default/c", "default/d"], Told(all));
        Assert.Equal(["default/b", "default/d", "default/c"], Told(all - 1));
        Assert.Equal(["default/b"], Told((all / 4) + 5));
        Assert.Empty(Told(20));
        Assert.Empty(Told(-5));
        Assert.All(Enumerable.Range(0, all), room => Assert.InRange(CanaryReport.Write(_routes.Table.Apps, room).Length, 0, room));
    }

    public void Dispose() => _routes.Clear();

    private IEnumerable<string> Told(int room) => CanaryObservation.Read(CanaryReport.Write(_routes.Table.Apps, room)).Select(one => one.App);

    private void Serve(params (string App, DateTime? Since)[] apps) => _routes.ReplaceAll(
        [
            .. apps.Select(app => new AppRoute(
                new ObjectKey("default", app.App),
                new Route(),
                [new RouteClaim(null, $"{app.App}.example.org", "/")],
                null,
                new Traffic(null, app.Since is { } since ? new CanaryPeriod("r1", "r2", since) : null))),
        ]);
}
