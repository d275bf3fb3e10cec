using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Autoscaling;

/// <summary>Which requests of an app that nothing scales are in its traffic, and as what.</summary>
public sealed class CountedRequestsTests
{
    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Errors_of_replicas_and_of_the_proxy_are_counted_and_latencies_of_what_a_replica_was_asked_for()
    {
        await using var server = await ReplicaServer.StartAsync("one", context =>
        {
            context.Response.StatusCode = int.Parse(context.Request.Path.Value![1..], CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: _clock);
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
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: _clock);
        proxy.Serve(new Route { Limits = new() { RequestBytes = 1 } }, server.Id);
        proxy.App.Traffic.Sample();

        using var refused = await proxy.Client.PostAsync("/", new StringContent("too long"), Cancellation);
        Assert.Equal(StatusCodes.Status413PayloadTooLarge, (int)refused.StatusCode);
        using var taken = await proxy.Client.GetAsync("/", Cancellation);

        await SeeAsync(proxy, requests: 1, errors: 0, latencies: 1);
    }

    /// <summary>A request's end is counted after its answer has gone out.</summary>
    private async Task SeeAsync(TestProxy proxy, int requests, int errors, int latencies)
    {
        const int Seconds = 10;
        _clock.Advance(TimeSpan.FromSeconds(Seconds));
        await Eventually.See(
            () =>
            {
                proxy.App.Traffic.Sample();
                var seen = proxy.App.Traffic.Read(waiting: 0);
                return (seen.RequestsPerSecond * Seconds, seen.EndedPerSecond * Seconds, seen.ErrorsPerSecond * Seconds, seen.Latencies!.Sum());
            },
            seen => seen == (requests, requests, errors, latencies));
    }
}
