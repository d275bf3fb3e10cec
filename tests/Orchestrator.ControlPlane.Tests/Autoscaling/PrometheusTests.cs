using System.Net;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Autoscaling;

namespace Orchestrator.ControlPlane.Tests.Autoscaling;

public sealed class PrometheusTests : IDisposable
{
    private readonly PrometheusClient _client = new(TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1.5,"42.25"]}]}}""", 42.25, null)]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1.5,"7"]}}""", 7.0, null)]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[]}}""", null, "the query gives no number now")]
    [InlineData(
        """{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}""", null,
        "the query gives 2 numbers: it must give one, as sum(…) does")]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}""", null, "the query gives no finite number of at least 0")]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1,"-3"]}}""", null, "the query gives no finite number of at least 0")]
    [InlineData("""{"status":"success","data":{"resultType":"matrix","result":[]}}""", null, "the query gives no instant vector or scalar")]
    [InlineData("""{"status":"error","errorType":"bad_data","error":"parse error"}""", null, "Prometheus refuses the query: parse error")]
    public void An_answer_is_one_number_or_a_sentence(string text, double? value, string? problem) => Assert.Equal(new Answer(value, problem), PrometheusClient.Read(text));

    [Theory]
    [InlineData("<html>secret</html>")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":"7"}}""")]
    public void What_is_no_answer_of_prometheus_is_none(string text) => Assert.Null(PrometheusClient.Read(text));

    [Fact]
    public async Task The_server_is_asked_for_the_query_and_its_redirects_are_not_followed()
    {
        string? asked = null;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var server = builder.Build();
        server.Run(context =>
        {
            if (context.Request.Path == "/below/api/v1/query")
            {
                asked = context.Request.Query["query"];
                return context.Response.WriteAsync("""{"status":"success","data":{"resultType":"scalar","result":[1.5,"7"]}}""");
            }

            context.Response.Redirect("/below/api/v1/query");
            return Task.CompletedTask;
        });
        await server.StartAsync(Cancellation);
        var address = server.Urls.Single();

        Assert.Equal(new Answer(7, null), await _client.AskAsync(new() { Address = $"{address}/below/", Query = "sum(rate(jobs[1m]) > 0) & x" }, Cancellation));
        Assert.Equal("sum(rate(jobs[1m]) > 0) & x", asked);
        Assert.Equal(
            $"{new Uri(address).Authority} does not answer as Prometheus does (status 302)", (await _client.AskAsync(new() { Address = address, Query = "x" }, Cancellation)).Problem);

        await server.StopAsync(Cancellation);
        Assert.Equal($"{new Uri(address).Authority} cannot be asked: ConnectionError", (await _client.AskAsync(new() { Address = address, Query = "x" }, Cancellation)).Problem);
        Assert.Equal("its address is no http or https URL", (await _client.AskAsync(new() { Address = "file:///etc", Query = "x" }, Cancellation)).Problem);
    }

    [Theory]
    [InlineData("30", null, 60, 4, 8)]
    [InlineData("30", null, 32, 4, 4)]
    [InlineData("30", null, 60, 0, 2)]
    [InlineData(null, "10", 60, 4, 6)]
    [InlineData(null, "10", 0, 4, 0)]
    [InlineData(null, "10", 5, 0, 1)]
    public void A_value_is_of_all_and_an_average_value_of_each(string? value, string? average, double seen, int replicas, int asked)
    {
        AutoscalingMetric metric = new()
        {
            Type = MetricTypes.Prometheus,
            Prometheus = new() { Query = "jobs" },
            Target = new() { Value = value is null ? null : new ResourceQuantity(value), AverageValue = average is null ? null : new ResourceQuantity(average) },
        };

        var proposal = PrometheusProposals.Of(metric, new(seen, null), new(replicas, replicas, replicas));

        Assert.Equal((asked, "jobs"), (proposal.Replicas, proposal.Seen!.Query));
    }

    [Fact]
    public void Without_a_number_it_says_why() => Assert.Equal(
        new ProposalFailure("FailedGetExternalMetric", "prometheus is not known: the query gives no number now"),
        PrometheusProposals.Of(new() { Type = MetricTypes.Prometheus }, new(null, "the query gives no number now"), new(1, 1, 1)).Failure);
}
