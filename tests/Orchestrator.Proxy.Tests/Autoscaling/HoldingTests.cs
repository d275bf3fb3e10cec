using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Autoscaling;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Autoscaling;

public sealed class HoldingTests
{
    private static readonly Traffic Holding = new(Split: null, Canary: null, new TrafficWish(Latencies: false, Holds: true));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_wait_for_the_first_replica_bodies_and_all()
    {
        await using var server = await ReplicaServer.StartAsync("one", async context => await context.Request.Body.CopyToAsync(context.Response.Body));
        await using var proxy = await TestProxy.StartAsync();
        var told = 0;
        proxy.Routes.HoldingChanged += () => Interlocked.Increment(ref told);
        proxy.Serve(Holding);

        var answers = Enumerable.Range(0, 20).Select(n => PostAsync(proxy, $"body {n}")).ToList();
        await Eventually.True(() => proxy.App.Held.Waiting == 20);
        Assert.DoesNotContain(answers, answer => answer.IsCompleted);
        Assert.Equal(1, told);
        proxy.Serve(Holding, server.Id);

        Assert.Equal(Enumerable.Range(0, 20).Select(n => $"body {n}"), await Task.WhenAll(answers));
        await Eventually.True(() => proxy.App.Held.Waiting == 0 && told == 2);
        Assert.Equal(0, proxy.App.Traffic.Read(0).Waiting);
    }

    [Fact]
    public async Task Of_an_app_that_does_not_scale_to_zero_none_waits()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Holding with { Autoscaling = new(Latencies: false, Holds: false) });

        using var response = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (response.StatusCode, Assert.Single(response.Headers.GetValues("Retry-After"))));
    }

    [Fact]
    public async Task A_client_that_goes_away_is_let_go()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Holding);
        using var gone = new CancellationTokenSource();
        var request = proxy.Client.GetAsync("/", gone.Token);
        await Eventually.True(() => proxy.App.Held.Waiting == 1);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await Eventually.True(() => proxy.App.Held.Waiting == 0 && proxy.App.Metrics.InFlight.Value == 0);
        await Eventually.True(() => proxy.App.Metrics.Requests(StatusCodes.Status499ClientClosedRequest).Value == 1);
    }

    [Fact]
    public async Task None_waits_for_ever()
    {
        FakeTimeProvider clock = new();
        using var app = new DisposableApp(clock);
        var waits = app.State.HoldAsync(clock.GetTimestamp(), Cancellation).AsTask();
        Assert.Equal(1, app.State.Held.Waiting);

        clock.Advance(HeldRequests.Longest);

        Assert.Equal(HoldEnd.GivenUp, await waits);
        Assert.Equal(0, app.State.Held.Waiting);

        // It has waited before, as one whose replica went again does: the time is that of the request.
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HoldEnd.GivenUp, await app.State.HoldAsync(clock.GetTimestamp() - (61 * clock.TimestampFrequency), Cancellation));
    }

    [Fact]
    public async Task More_than_so_many_are_told_at_once()
    {
        using var app = new DisposableApp(TimeProvider.System);
        var now = TimeProvider.System.GetTimestamp();
        var waits = Enumerable.Range(0, HeldRequests.Most).Select(_ => app.State.HoldAsync(now, Cancellation).AsTask()).ToList();

        Assert.Equal(HoldEnd.GivenUp, await app.State.HoldAsync(now, Cancellation));

        Assert.Equal(HeldRequests.Most, app.State.Held.Waiting);
        app.State.ReplaceEndpoints([new ReplicaEndpoint(TestProxy.Refusing())], split: null);
        Assert.All(await Task.WhenAll(waits), end => Assert.Equal(HoldEnd.Look, end));
    }

    [Fact]
    public async Task When_autoscaling_is_turned_off_those_that_wait_are_told()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Holding);
        var request = proxy.Client.GetAsync("/", Cancellation);
        await Eventually.True(() => proxy.App.Held.Waiting == 1);

        proxy.Serve(default(Traffic));

        using var response = await request;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    private static async Task<string> PostAsync(TestProxy proxy, string body)
    {
        using var response = await proxy.Client.PostAsync("/", new StringContent(body), Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private sealed class DisposableApp : IDisposable
    {
        public DisposableApp(TimeProvider time)
        {
            State = new(new("holding", "web"), new SharedRandom(1), time);
            State.ScaleBy(Holding.Autoscaling);
        }

        public AppState State { get; }

        public void Dispose() => State.Dispose();
    }
}
