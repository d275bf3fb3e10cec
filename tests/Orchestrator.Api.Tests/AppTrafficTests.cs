using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class AppTrafficTests
{
    [Fact]
    public void What_several_proxies_see_adds_up()
    {
        var sum = Sum(
            Proxy("a", new TrafficObservation("sites/web", 10.5, 2, 0, [1, 2], EndedPerSecond: 6, ErrorsPerSecond: 1.5)),
            Proxy("b", new("sites/web", 4.5, 1, 3, [0, 1, 5], EndedPerSecond: 4), new("sites/other", 99, 99, 0)));

        Assert.Equal((null, 2, 15d, 3d, 3), (sum.Problem, sum.Proxies, sum.RequestsPerSecond, sum.InFlight, sum.Waiting));
        Assert.Equal([1L, 3L, 5L], sum.Latencies);
        Assert.Equal((10d, 1.5, 15d), (sum.EndedPerSecond, sum.ErrorsPerSecond, sum.ErrorPercent));
    }

    [Fact]
    public void Of_what_has_not_ended_no_share_has_failed()
    {
        Assert.Null(Sum(Proxy("a", new TrafficObservation("sites/web", 5, 20, 0))).ErrorPercent);
        Assert.Equal(0, Sum(Proxy("a", new TrafficObservation("sites/web", 5, 20, 0, EndedPerSecond: 1))).ErrorPercent);
    }

    [Fact]
    public void A_proxy_that_does_not_tell_is_named_and_those_that_do_are_summed_all_the_same()
    {
        Assert.Equal(AppTraffic.NoProxy, Sum().Problem);

        var telling = Proxy("a", new TrafficObservation("sites/web", 10, 2, 0));
        Assert.Equal(("proxy b has only just begun to count", 1, 10d, 2), Seen(Sum(telling, Proxy("b", new TrafficObservation("sites/web", null, null, 2)))));
        Assert.Equal(("proxy b does not tell of it", 1, 10d, 0), Seen(Sum(telling, Proxy("b"))));
        Assert.Equal(("proxy b does not tell of it", 1, 10d, 0), Seen(Sum(telling, ToldTraffic.Of(Lease("b", "[what is this")))));
        Assert.Equal(
            ("proxy b has no room to tell of it among so many apps", 1, 10d, 0),
            Seen(Sum(telling, ToldTraffic.Of(Lease("b", new TrafficReport([], Omitted: 3).Write())))));
    }

    [Fact]
    public void A_text_is_read_again_only_when_it_is_another()
    {
        var told = Proxy("a", new TrafficObservation("sites/web", 10, 2, 0));

        Assert.Same(told, ToldTraffic.Of(Lease("a", told.Text), told));
        Assert.NotSame(told, ToldTraffic.Of(Lease("a", null), told));
    }

    private static (string?, int, double, int) Seen(AppTraffic sum) => (sum.Problem, sum.Proxies, sum.RequestsPerSecond, sum.Waiting);

    private static AppTraffic Sum(params ToldTraffic[] proxies) => AppTraffic.Sum("sites/web", proxies);

    private static ToldTraffic Proxy(string name, params TrafficObservation[] apps) => ToldTraffic.Of(Lease(name, new TrafficReport(apps).Write()));

    private static V1Lease Lease(string name, string? text) => new()
    {
        Metadata = new() { Name = name, Annotations = text is null ? null : new Dictionary<string, string> { [Annotations.Traffic] = text } },
    };
}
