using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Canaries;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class CanaryTrafficTests
{
    private static readonly DateTime Since = new(2026, 11, 24, 12, 0, 0, DateTimeKind.Utc);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_canary_gets_its_share_of_the_requests_and_what_both_sides_got_is_what_is_counted()
    {
        const int requests = 2000;
        await using var one = await ReplicaServer.StartAsync("one");
        await using var two = await ReplicaServer.StartAsync("two");
        await using var canary = await ReplicaServer.StartAsync("canary");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Canary(10), one.Of("r1"), two.Of("r1"), canary.Of("r2"));

        for (var i = 0; i < requests; i++)
        {
            using var response = await proxy.Client.GetAsync("/", Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        // The proxy's random source is seeded: the same every time.
        Assert.InRange(canary.Requests, 150, 250);
        Assert.InRange(one.Requests, 700, 1100);
        Assert.Equal(requests, one.Requests + two.Requests + canary.Requests);
        await CountsAsync(proxy, stable: (one.Requests + two.Requests, 0), canary: (canary.Requests, 0));
        await Eventually.See(() => Seen(proxy).Canary.Latencies.Sum(), sum => sum == canary.Requests);
    }

    [Fact]
    public async Task Errors_of_the_app_are_errors_of_its_side()
    {
        await using var stable = await ReplicaServer.StartAsync("stable", context => AnswerAsync(context, 404));
        await using var canary = await ReplicaServer.StartAsync("canary", context => AnswerAsync(context, 500));
        await using var proxy = await TestProxy.StartAsync();

        proxy.Serve(Canary(0), stable.Of("r1"), canary.Of("r2"));
        using var fromStable = await proxy.Client.GetAsync("/", Cancellation);
        proxy.Serve(Canary(100), stable.Of("r1"), canary.Of("r2"));
        using var fromCanary = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal((404, 500), ((int)fromStable.StatusCode, (int)fromCanary.StatusCode));
        await CountsAsync(proxy, stable: (1, 0), canary: (1, 1));
        Assert.Equal(1, Seen(proxy).Canary.Latencies.Sum());
    }

    [Fact]
    public async Task A_get_that_the_canary_breaks_off_is_answered_by_the_stable_side_and_is_the_canarys_error()
    {
        // Many more than the budget for retries has.
        const int requests = 400;
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var breaks = new RawReplicaServer("breaks", _ => null);
        await using var breaksToo = new RawReplicaServer("breaks too", _ => null);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Canary(100), stable.Of("r1"), breaks.Id with { Revision = "r2" }, breaksToo.Id with { Revision = "r2" });

        for (var i = 0; i < requests; i++)
        {
            Assert.Equal("stable", await proxy.Client.GetStringAsync("/", Cancellation));
        }

        await CountsAsync(proxy, stable: (requests, 0), canary: (requests, requests));
        Assert.Empty(Seen(proxy).Canary.Latencies);
        Assert.Equal(0, proxy.App.Metrics.RetriesRefused.Value);
    }

    [Fact]
    public async Task A_post_that_the_canary_breaks_off_is_not_sent_to_the_stable_side()
    {
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var breaks = new RawReplicaServer("breaks", _ => null);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Canary(100), stable.Of("r1"), breaks.Id with { Revision = "r2" });

        using var response = await proxy.Client.PostAsync("/", new StringContent("once"), Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        await CountsAsync(proxy, stable: (0, 0), canary: (1, 1));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_half_way_is_an_error()
    {
        // A reset may overtake what was sent before it: then there was no answer yet, and the stable side would give one.
        var arrived = new TaskCompletionSource();
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var half = await ReplicaServer.StartAsync("half", async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            await arrived.Task;
            context.Abort();
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Canary(100), stable.Of("r1"), half.Of("r2"));

        using var response = await proxy.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        arrived.SetResult();
        await Assert.ThrowsAsync<HttpRequestException>(() => response.Content.ReadAsStringAsync(Cancellation));

        await CountsAsync(proxy, stable: (0, 0), canary: (1, 1));
    }

    [Fact]
    public async Task A_client_that_goes_away_is_no_error_but_how_long_it_waited_counts()
    {
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var hangs = await ReplicaServer.StartAsync("hangs", context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Canary(100), stable.Of("r1"), hangs.Of("r2"));
        using var impatient = new CancellationTokenSource();

        var request = proxy.Client.GetAsync("/", impatient.Token);
        await Eventually.True(() => hangs.Requests == 1);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        await CountsAsync(proxy, stable: (0, 0), canary: (1, 0));
        Assert.Equal(1, Seen(proxy).Canary.Latencies.Sum());
    }

    [Fact]
    public async Task Upgraded_connections_are_requests_without_a_latency()
    {
        await using var stable = await ReplicaServer.StartAsync("stable");
        await using var canary = await ReplicaServer.StartAsync("canary", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(Canary(100), stable.Of("r1"), canary.Of("r2"));

        using var client = new System.Net.WebSockets.ClientWebSocket();
        await client.ConnectAsync(new Uri(proxy.Url.ToString().Replace("http:", "ws:", StringComparison.Ordinal)), Cancellation);
        await client.ReceiveAsync(new byte[16].AsMemory(), Cancellation);
        await client.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, null, Cancellation);

        await CountsAsync(proxy, stable: (0, 0), canary: (1, 0));
        Assert.Empty(Seen(proxy).Canary.Latencies);
    }

    private static Traffic Canary(int weight) => new(new TrafficSplit("r1", weight), new CanaryPeriod("r1", "r2", Since));

    private static CanaryObservation Seen(TestProxy proxy) => proxy.App.Canary!.Read();

    /// <summary>A client has its answer before the proxy has counted it.</summary>
    private static Task CountsAsync(TestProxy proxy, (long Requests, long Errors) stable, (long Requests, long Errors) canary) => Eventually.See(
        () => Seen(proxy),
        seen => (seen.Stable.Requests, seen.Stable.Errors) == stable && (seen.Canary.Requests, seen.Canary.Errors) == canary);

    private static Task AnswerAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync("answer");
    }
}
