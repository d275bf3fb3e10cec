using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Autoscaling;

/// <summary>Which requests of an app that nothing scales are in its traffic, and as what. The clock is the machine's: the window is two looks around them.</summary>
public sealed class CountedRequestsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Errors_of_replicas_and_of_the_proxy_are_counted_and_latencies_of_what_a_replica_was_asked_for()
    {
        await using var server = await ReplicaServer.StartAsync("one", context =>
        {
            context.Response.StatusCode = int.Parse(context.Request.Path.Value![1..], CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);
        proxy.App.Traffic.Sample();

        foreach (var path in new[] { "200", "200", "404", "500", "503" })
        {
            using var answer = await proxy.Client.GetAsync(path, Cancellation);
        }

        proxy.Serve();
        using (var answer = await proxy.Client.GetAsync("200", Cancellation))
        {
            Assert.Equal(StatusCodes.Status503ServiceUnavailable, (int)answer.StatusCode);
        }

        await SeeAsync(proxy, requests: 6, errors: 3, latencies: 5);
    }

    [Fact]
    public async Task What_a_limit_turned_away_is_no_load()
    {
        await using var server = await ReplicaServer.StartAsync("one");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Limits = new() { RequestBytes = 1 } }, server.Id);
        proxy.App.Traffic.Sample();

        using var refused = await proxy.Client.PostAsync("/", new StringContent("too long"), Cancellation);
        Assert.Equal(StatusCodes.Status413PayloadTooLarge, (int)refused.StatusCode);
        using var taken = await proxy.Client.GetAsync("/", Cancellation);

        await SeeAsync(proxy, requests: 1, errors: 0, latencies: 1);
    }

    /// <summary>A request's end is counted after its answer has gone out; rates are of shares of what came since the first look.</summary>
    private static async Task SeeAsync(TestProxy proxy, int requests, int errors, int latencies)
    {
        TrafficObservation? seen = null;
        await Eventually.True(() =>
        {
            proxy.App.Traffic.Sample();
            seen = proxy.App.Traffic.Read(waiting: 0);
            return seen is { RequestsPerSecond: > 0 } && seen.Latencies!.Sum() == latencies && seen.RequestsPerSecond == seen.EndedPerSecond;
        });
        Assert.Equal((double)errors / requests, seen!.ErrorsPerSecond / seen.EndedPerSecond, tolerance: 0.01);
        Assert.Equal(errors > 0, seen.ErrorsPerSecond > 0);
    }
}
