using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;
using Prometheus;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class ReplicaMetricsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_try_counts_for_the_replica_it_was_sent_to_and_the_series_go_with_it()
    {
        await using var server = await ReplicaServer.StartAsync("good");
        await using var proxy = await TestProxy.StartAsync();
        var refusing = TestProxy.Refusing();
        proxy.Serve(new Route { Balancing = BalancingPolicies.RoundRobin }, refusing, server.Id);

        await proxy.Client.GetStringAsync("/", Cancellation);
        await proxy.Client.GetStringAsync("/", Cancellation);

        Assert.Contains($"orchestrator_proxy_replica_requests_total{{namespace=\"{proxy.Namespace}\",app=\"web\",replica=\"good\",code=\"2xx\"}} 2\n", await ExportAsync(), StringComparison.Ordinal);
        Assert.Contains($"{{namespace=\"{proxy.Namespace}\",app=\"web\",replica=\"refusing\",code=\"5xx\"}} 1\n", await ExportAsync(), StringComparison.Ordinal);

        proxy.Serve(server.Id);
        proxy.Serve();

        Assert.DoesNotContain($"replica_requests_total{{namespace=\"{proxy.Namespace}\"", await ExportAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_counted_after_the_end_makes_no_series()
    {
        var metrics = new ReplicaMetrics(new ObjectKey("of-the-end", "web"), "gone");
        metrics.Dispose();
        metrics.Count(200);
        metrics.Dispose();

        Assert.DoesNotContain("of-the-end", await ExportAsync(), StringComparison.Ordinal);
    }

    private static async Task<string> ExportAsync()
    {
        // As the proxy does at its start: the first look at the registry decides for the process.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true, SuppressMeters = true });
        using var text = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, Cancellation);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
