using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Prometheus;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Canaries;

public sealed class CanaryCountsTests : IDisposable
{
    private static readonly DateTime Noon = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);
    private static readonly CanaryPeriod Period = new("r1", "r2", Noon);

    private readonly Routes _routes = new(8080, new SharedRandom(1), TimeProvider.System);

    [Fact]
    public void Requests_errors_and_latencies_are_counted_by_side()
    {
        Observe(Period);

        Count("r1", 200, milliseconds: 1);
        Count("r1", 404, milliseconds: 1);
        Count("r1", 500, milliseconds: 100);
        Count("r2", 502, milliseconds: null);
        Count("r2", 101, milliseconds: 60_000);
        Count("r2", 499, milliseconds: 1000);

        var seen = Seen!;
        Assert.Equal(("default/counts", "r2", Noon), (seen.App, seen.Revision, seen.Since));
        Assert.Equal((3, 1), (seen.Stable.Requests, seen.Stable.Errors));
        Assert.Equal((3, 1), (seen.Canary.Requests, seen.Canary.Errors));
        Assert.Equal(LatencyBuckets.Of(TimeSpan.FromMilliseconds(100)) + 1, seen.Stable.Latencies.Count);
        Assert.Equal((2, 1), (seen.Stable.Latencies[0], seen.Stable.Latencies[^1]));
        Assert.Equal(1, seen.Canary.Latencies.Sum());
        Assert.Equal(1, seen.Canary.Latencies[LatencyBuckets.Of(TimeSpan.FromSeconds(1))]);
    }

    [Fact]
    public void What_an_earlier_rollout_left_counts_for_neither_side()
    {
        Observe(Period);

        Count("r0", 500, milliseconds: 1);
        Count(null, 500, milliseconds: 1);

        Assert.Equal((0, 0), (Seen!.Stable.Requests, Seen.Canary.Requests));
    }

    [Fact]
    public void Counting_begins_at_zero_with_each_period_and_what_was_sent_in_the_one_before_counts_for_none()
    {
        Observe(Period);
        var before = App.Canary!;
        Count("r2", 200, milliseconds: 1);

        Observe(Period with { });
        Assert.Same(before, App.Canary);

        Observe(Period with { Since = Noon.AddMinutes(1) });
        Assert.Equal((0, Noon.AddMinutes(1)), (Seen!.Canary.Requests, Seen.Since));
        Count(before, "r2", 500, milliseconds: 1);
        Assert.Equal(0, Seen.Canary.Requests);

        Count("r2", 200, milliseconds: 1);
        Observe(Period with { Since = Noon.AddMinutes(1), Revision = "r3" });
        Assert.Equal((0, "r3"), (Seen.Canary.Requests, Seen.Revision));

        Observe(null);
        Assert.Null(Seen);
    }

    [Fact]
    public async Task The_metrics_go_on_from_step_to_step_and_end_with_the_canary()
    {
        Observe(Period);
        Count("r1", 200, milliseconds: 1);
        Count("r2", 500, milliseconds: 1);
        Observe(Period with { Since = Noon.AddMinutes(1) });
        Count("r2", 502, milliseconds: null);

        var metrics = await MetricsAsync();
        Assert.Contains("{namespace=\"default\",app=\"counts\",side=\"stable\",code=\"2xx\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("{namespace=\"default\",app=\"counts\",side=\"canary\",code=\"5xx\"} 2\n", metrics, StringComparison.Ordinal);

        Observe(Period with { Revision = "r3" });
        Assert.Contains("{namespace=\"default\",app=\"counts\",side=\"canary\",code=\"5xx\"} 0\n", await MetricsAsync(), StringComparison.Ordinal);

        Observe(null);
        Assert.DoesNotContain("app=\"counts\",side", await MetricsAsync(), StringComparison.Ordinal);

        Observe(Period);
        _routes.Clear();
        Assert.DoesNotContain("app=\"counts\",side", await MetricsAsync(), StringComparison.Ordinal);
    }

    public void Dispose() => _routes.Clear();

    private AppState App => Assert.Single(_routes.Table.Apps);

    private CanaryObservation? Seen => App.Canary?.Read();

    private static void Count(CanaryCounts counts, string? revision, int status, int? milliseconds) => counts.Count(
        new ReplicaEndpoint(new EndpointId("uid", "10.0.0.1", 80, revision)),
        status,
        milliseconds is { } some ? TimeSpan.FromMilliseconds(some) : null);

    private static async Task<string> MetricsAsync()
    {
        // As the proxy does: the first to collect decides for the whole process.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true, SuppressMeters = true });
        using var text = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    private void Count(string? revision, int status, int? milliseconds) => Count(App.Canary!, revision, status, milliseconds);

    private void Observe(CanaryPeriod? period) => _routes.ReplaceAll(
        [new AppRoute(new ObjectKey("default", "counts"), new Route(), [new RouteClaim(null, null, "/")], null, new Traffic(null, period))]);
}
