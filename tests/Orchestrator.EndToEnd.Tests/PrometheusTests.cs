using System.Text.Json.Nodes;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>What a real Prometheus makes of our metrics.</summary>
public sealed class PrometheusTests
{
    [Fact]
    public async Task Promtool_finds_nothing_to_complain_about_and_a_real_Prometheus_scrapes_the_state()
    {
        await using var installation = await Installation.StartAsync();
        await installation.ApplyAsync(Manifests.Web("web", installation.Lab.Image("web:v1"), replicas: 3));
        await installation.SeeReady("web", 3);
        await Eventually.See(() => Visitor.OnceAsync(installation.Http, "web"), page => page.Version == "v1");

        using var http = new HttpClient();
        var promtool = await Dependency.PathOf("promtool");
        foreach (var metrics in new[] { installation.Metrics, installation.ProxyMetrics })
        {
            var check = await Command.RunAsync(promtool, ["check", "metrics"], await http.GetStringAsync(metrics));
            Assert.True(check.ExitCode == 0 && check.Output.Length == 0 && check.Errors.Length == 0, $"{metrics}: {check}");
        }

        using var folder = new TemporaryFolder();
        var prometheus = Repository.At("tests/lab/prometheus");
        var up = (await Command.RunAsync(prometheus,
        [
            "up", "--state", folder["prometheus"], "--target", installation.Metrics.Authority, "--target", installation.ProxyMetrics.Authority,
        ])).OrThrow();
        try
        {
            await SeeValue("orchestrator_webapp_replicas_ready{app=\"web\"}", "3");
            await SeeValue("orchestrator_webapp_replicas_desired{app=\"web\"}", "3");
            await SeeValue("orchestrator_hosts{condition=\"ready\"}", "3");
            await SeeValue("sum(orchestrator_proxy_requests_total{app=\"web\",code=\"2xx\"}) > bool 0", "1");
            await SeeValue("sum(controller_runtime_reconcile_total) > bool 0", "1");
            await SeeValue("count(count by (host) (orchestrator_engine_host_request_duration_seconds_count))", "3");

            // And what it knows can say how many there are to be: here a replica for each host that is ready.
            await installation.ApplyAsync(Manifests.Web("by-query", installation.Lab.Image("web:v1"), replicas: 1, $$"""
                  autoscaling:
                    minReplicas: 1
                    maxReplicas: 5
                    metrics:
                      - type: prometheus
                        prometheus:
                          address: {{up.Output.Trim()}}
                          query: orchestrator_hosts{condition="ready"}
                        target: {averageValue: 1}
                """));
            await installation.SeeReady("by-query", 3);
        }
        finally
        {
            (await Command.RunAsync(prometheus, ["down", "--state", folder["prometheus"]])).OrThrow();
        }

        Task SeeValue(string query, string value) => Eventually.See(
            async () => (await Command.RunAsync(prometheus, ["query", query, "--state", folder["prometheus"]])).OrThrow().Output,
            seen => JsonNode.Parse(seen) is JsonArray { Count: 1 } result && result[0]!["value"]![1]!.GetValue<string>() == value);
    }
}
