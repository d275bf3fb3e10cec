using Prometheus;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>Metrics belong to the process: while others lead in it, their gauges are there too.</summary>
[CollectionDefinition(nameof(MetricsTests), DisableParallelization = true)]
[Collection(nameof(MetricsTests))]
public sealed class MetricsTests
{
    private static readonly string[] Gauges =
    [
        "orchestrator_webapp_replicas_desired{", "orchestrator_webapp_replicas_current{", "orchestrator_webapp_replicas_ready{",
        "orchestrator_hosts{", "orchestrator_scheduling_waiting_replicas ",
    ];

    [Fact]
    public async Task Who_no_longer_leads_says_nothing_of_apps_and_hosts_any_more()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync("web", 1);
        await cluster.WaitForReadyAsync("web", 1);
        Assert.Equal(Gauges, await ExportedAsync());

        await cluster.StopControllersAsync();
        Assert.Empty(await ExportedAsync());

        await cluster.StartControllersAsync();
        await Eventually.See(ExportedAsync, exported => exported.Count == Gauges.Length);
    }

    private static async Task<List<string>> ExportedAsync()
    {
        using var text = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        var lines = System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n');
        return [.. Gauges.Where(gauge => lines.Any(line => line.StartsWith(gauge, StringComparison.Ordinal)))];
    }
}
