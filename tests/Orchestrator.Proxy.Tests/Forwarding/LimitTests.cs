using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>What an app takes at most, and how long is waited for it.</summary>
public sealed class LimitTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_replica_gets_more_requests_than_it_may_and_the_others_wait_their_turn()
    {
        var (now, most) = (0, 0);
        var open = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await open.Task;
            Interlocked.Decrement(ref now);
            await context.Response.WriteAsync("done");
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Limits = new() { RequestsPerReplica = 2 } }, server.Id);

        var requests = Enumerable.Range(0, 10).Select(_ => proxy.Client.GetStringAsync("/", Cancellation)).ToList();
        await Eventually.True(() => server.Requests == 2 && proxy.App.Waiting.Count == 8);
        Assert.Equal(8, proxy.App.Metrics.Waiting.Value);
        open.SetResult();

        Assert.All(await Task.WhenAll(requests), answer => Assert.Equal("done", answer));
        Assert.Equal(2, most);
        Assert.Equal(0, proxy.App.Waiting.Count);
    }

    [Fact]
    public async Task What_finds_no_place_to_wait_is_told_at_once_and_when_to_come_back()
    {
        var open = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", _ => open.Task);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Limits = new() { RequestsPerReplica = 1, QueueLength = 1 } }, server.Id);
        var requests = new[] { proxy.Client.GetAsync("/", Cancellation), proxy.Client.GetAsync("/", Cancellation) };
        await Eventually.True(() => server.Requests == 1 && proxy.App.Waiting.Count == 1);

        using var refused = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.StartsWith("503 Busy: ", await refused.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Equal(1, proxy.App.Metrics.Refused("busy").Value);
        open.SetResult();
        Assert.All(await Task.WhenAll(requests), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Fact]
    public async Task Nobody_waits_longer_than_the_app_wants()
    {
        var open = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", _ => open.Task);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Limits = new() { RequestsPerReplica = 1, QueueMilliseconds = 50 } }, server.Id);
        var first = proxy.Client.GetAsync("/", Cancellation);
        await Eventually.True(() => server.Requests == 1);

        using var late = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, late.StatusCode);
        open.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Who_goes_away_gives_up_the_place()
    {
        var open = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", _ => open.Task);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Limits = new() { RequestsPerReplica = 1 } }, server.Id);
        var first = proxy.Client.GetAsync("/", Cancellation);
        await Eventually.True(() => server.Requests == 1);
        using var leaving = new CancellationTokenSource();
        var second = proxy.Client.GetAsync("/", leaving.Token);
        await Eventually.True(() => proxy.App.Waiting.Count == 1);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Eventually.True(() => proxy.App.Waiting.Count == 0);
        open.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
    }

    [Fact]
    public async Task Those_who_wait_go_to_a_replica_that_comes_and_are_let_in_where_the_limit_goes()
    {
        var open = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("busy", _ => open.Task);
        await using var fresh = await ReplicaServer.StartAsync("fresh");
        await using var proxy = await TestProxy.StartAsync();
        var route = new Route { Limits = new() { RequestsPerReplica = 1 } };
        proxy.Serve(route, server.Id);
        var first = proxy.Client.GetAsync("/", Cancellation);
        await Eventually.True(() => server.Requests == 1);
        var second = proxy.Client.GetStringAsync("/", Cancellation);
        await Eventually.True(() => proxy.App.Waiting.Count == 1);

        proxy.Serve(route, server.Id, fresh.Id);
        Assert.Equal("fresh", await second);

        proxy.Serve(route, server.Id);
        var third = proxy.Client.GetAsync("/", Cancellation);
        await Eventually.True(() => proxy.App.Waiting.Count == 1);
        proxy.Serve(new Route(), server.Id);
        await Eventually.True(() => server.Requests == 2);
        open.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await third).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
    }

    [Fact]
    public async Task A_replica_that_takes_too_long_to_answer_is_given_up_for_another_if_the_request_may_be_repeated()
    {
        var open = new TaskCompletionSource();
        await using var slow = await ReplicaServer.StartAsync("slow", _ => open.Task);
        await using var fast = await ReplicaServer.StartAsync("fast");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Balancing = BalancingPolicies.RoundRobin, Timeouts = new() { TryMilliseconds = 100 } }, slow.Id, fast.Id);

        Assert.Equal("fast", await proxy.Client.GetStringAsync("/", Cancellation));
        Assert.Equal("fast", await proxy.Client.GetStringAsync("/", Cancellation));
        using var form = await proxy.Client.PostAsync("/", new StringContent("order"), Cancellation);

        Assert.Equal(HttpStatusCode.GatewayTimeout, form.StatusCode);
        Assert.Equal(3, slow.Requests);
        open.SetResult();
    }

    [Fact]
    public async Task An_answer_that_does_not_begin_in_time_is_504_and_one_that_has_begun_goes_on()
    {
        var (rest, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            if (context.Request.Path == "/stream")
            {
                await context.Response.WriteAsync("first,");
                await rest.Task;
                await context.Response.WriteAsync("last");
                return;
            }

            await never.Task;
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Timeouts = new() { RequestMilliseconds = 150 } }, server.Id);

        var stream = await proxy.Client.GetAsync("/stream", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var late = await proxy.Client.GetAsync("/", Cancellation);
        rest.SetResult();

        Assert.Equal(HttpStatusCode.GatewayTimeout, late.StatusCode);
        Assert.Equal("first,last", await stream.Content.ReadAsStringAsync(Cancellation));
        never.SetResult();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_that_is_too_large_is_413_whether_its_length_is_told_or_not(bool chunked)
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Limits = new() { RequestBytes = 1000 } }, server.Id);

        using var fits = await PostAsync(new byte[1000]);
        using var exceeds = await PostAsync(new byte[1001]);

        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, exceeds.StatusCode);
        Assert.Equal(1, proxy.App.Metrics.Refused("size").Value);

        async Task<HttpResponseMessage> PostAsync(byte[] body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new ByteArrayContent(body) };
            request.Headers.TransferEncodingChunked = chunked;
            return await proxy.Client.SendAsync(request, Cancellation);
        }
    }

    [Fact]
    public async Task Beyond_the_rate_requests_are_429_until_the_allowance_is_back()
    {
        var time = new FakeTimeProvider();
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(new Route { RateLimit = new() { RequestsPerSecond = 2, Burst = 3 } }, server.Id);

        var codes = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            using var answer = await proxy.Client.GetAsync("/", Cancellation);
            codes.Add((int)answer.StatusCode);
        }

        time.Advance(TimeSpan.FromMilliseconds(500));
        using var one = await proxy.Client.GetAsync("/", Cancellation);
        using var two = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal([200, 200, 200, 429, 429], codes);
        Assert.Equal(HttpStatusCode.OK, one.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, two.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), two.Headers.RetryAfter!.Delta);
        Assert.Equal(4, server.Requests);
    }
}
