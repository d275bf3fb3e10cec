using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Proxy.Tracing;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Tracing;

/// <summary>Spans as a receiver that is not ours gets them (the Aspire dashboard), and what becomes of them where there is none.</summary>
public sealed class SpanExportTests(SpanExportTests.Receiver receiver) : IClassFixture<SpanExportTests.Receiver>
{
    private const string CallersSpan = "b7ad6b7169203331";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(OtlpProtocol.Grpc)]
    [InlineData(OtlpProtocol.HttpProtobuf)]
    public async Task A_request_and_its_try_are_spans_of_the_trace_that_it_came_with(OtlpProtocol protocol)
    {
        var trace = NewTrace();
        await using var server = await ReplicaServer.StartAsync("web", TellTraceAsync);
        string? seen;
        await using (var proxy = await StartAsync(options => protocol == OtlpProtocol.Grpc ? options : options with { OtlpEndpoint = receiver.OverHttp, OtlpProtocol = protocol }))
        {
            proxy.Serve(new Route { Path = "/shop", Rewrite = new() { Path = "/v2" } }, server.Of("r1"));
            seen = await AskAsync(proxy, "/shop/cart?secret=1", trace, HttpStatusCode.OK);
        }

        var spans = await receiver.TraceAsync(trace);
        var (request, attempt) = (Assert.Single(spans, IsServer), Assert.Single(spans, IsClient));
        Assert.Equal(2, spans.Count);
        Assert.Equal((CallersSpan, "GET /shop", "orchestrator-proxy", 0), (request.ParentSpanId, request.Name, request.Service, request.Status));
        AssertHas(
            request,
            ("http.request.method", "GET"), ("http.route", "/shop"), ("http.response.status_code", "200"), ("url.scheme", "http"),
            ("url.path", "/shop/cart"), ("server.address", "127.0.0.1"), ("client.address", "127.0.0.1"), ("network.protocol.version", "1.1"),
            ("orchestrator.app", "web"), ("error.type", null));
        Assert.Equal((request.SpanId, "GET", 0), (attempt.ParentSpanId, attempt.Name, attempt.Status));
        AssertHas(
            attempt,
            ("http.request.method", "GET"), ("http.response.status_code", "200"), ("server.address", "127.0.0.1"), ("server.port", $"{server.Port}"),
            ("url.full", $"http://127.0.0.1:{server.Port}/v2/cart"), ("orchestrator.replica.uid", "web"), ("orchestrator.replica.revision", "r1"),
            ("http.request.resend_count", null), ("error.type", null));
        Assert.Equal($"00-{trace}-{attempt.SpanId}-01", seen);
        Assert.DoesNotContain(spans, span => span.Attributes.Values.Any(value => value.Contains("secret", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Each_further_try_is_a_span_of_its_own_and_the_last_is_the_one_that_the_replica_sees()
    {
        var trace = NewTrace();
        await using var server = await ReplicaServer.StartAsync("good", TellTraceAsync);
        string? seen;
        await using (var proxy = await StartAsync())
        {
            proxy.Serve(BalancingPolicies.RoundRobin, TestProxy.Refusing(), server.Id);
            seen = await AskAsync(proxy, "/", trace, HttpStatusCode.OK);
        }

        var spans = await receiver.TraceAsync(trace);
        var request = Assert.Single(spans, IsServer);
        var tries = spans.Where(IsClient).ToList();
        Assert.Equal(2, tries.Count);
        Assert.All(tries, span => Assert.Equal(request.SpanId, span.ParentSpanId));
        AssertHas(
            tries[0], ("orchestrator.replica.uid", "refusing"), ("error.type", "ConnectFailed"), ("http.response.status_code", null), ("http.request.resend_count", null));
        AssertHas(tries[1], ("orchestrator.replica.uid", "good"), ("error.type", null), ("http.response.status_code", "200"), ("http.request.resend_count", "1"));
        Assert.Equal((ReceivedSpan.Error, 0, 0), (tries[0].Status, tries[1].Status, request.Status));
        Assert.Equal($"00-{trace}-{tries[1].SpanId}-01", seen);
    }

    [Fact]
    public async Task An_answer_of_the_proxys_own_says_why_and_an_error_of_the_replicas_is_one_of_both()
    {
        var (unready, failing) = (NewTrace(), NewTrace());
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        });
        await using (var proxy = await StartAsync())
        {
            proxy.Serve();
            await AskAsync(proxy, "/", unready, HttpStatusCode.ServiceUnavailable);
            proxy.Serve(server.Id);
            await AskAsync(proxy, "/", failing, HttpStatusCode.InternalServerError);
        }

        var refused = Assert.Single(await receiver.TraceAsync(unready));
        AssertHas(refused, ("error.type", "NoReadyReplica"), ("http.response.status_code", "503"));
        Assert.Equal((ReceivedSpan.Server, ReceivedSpan.Error), (refused.Kind, refused.Status));
        Assert.All(await receiver.TraceAsync(failing), span => Assert.Equal((ReceivedSpan.Error, "500"), (span.Status, span["error.type"])));
    }

    [Fact]
    public async Task Who_went_away_is_told_as_that()
    {
        var trace = NewTrace();
        var arrived = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            arrived.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await using (var proxy = await StartAsync())
        {
            proxy.Serve(server.Id);
            using var leaving = new CancellationTokenSource();
            using var request = RequestOf("/", trace);
            var asked = proxy.Client.SendAsync(request, leaving.Token);
            await arrived.Task.WaitAsync(Cancellation);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
            await Eventually.True(() => proxy.App.Endpoints[0].InFlight == 0);
        }

        var spans = await receiver.TraceAsync(trace);
        Assert.Equal(2, spans.Count);
        Assert.All(spans, span => AssertHas(span, ("error.type", "ClientGone"), ("http.response.status_code", null)));
    }

    [Fact]
    public async Task A_method_of_nobodys_is_no_name()
    {
        var trace = NewTrace();
        await using var server = await ReplicaServer.StartAsync("web");
        await using (var proxy = await StartAsync())
        {
            proxy.Serve(server.Id);
            using var request = RequestOf("/", trace);
            request.Method = new HttpMethod("BREW");
            using var answer = await proxy.Client.SendAsync(request, Cancellation);
        }

        var span = Assert.Single(await receiver.TraceAsync(trace), IsServer);
        Assert.Equal("HTTP /", span.Name);
        AssertHas(span, ("http.request.method", "_OTHER"), ("http.request.method_original", "BREW"));
    }

    [Fact]
    public async Task A_trace_that_is_not_sampled_stays_one_and_nothing_of_it_is_sent()
    {
        var trace = NewTrace();
        await using var server = await ReplicaServer.StartAsync("web", TellTraceAsync);
        string? seen;
        await using (var proxy = await StartAsync())
        {
            proxy.Serve(server.Id);
            seen = await AskAsync(proxy, "/", trace, HttpStatusCode.OK, sampled: false);
        }

        Assert.Matches($"^00-{trace}-[0-9a-f]{{16}}-00$", seen);
        Assert.DoesNotContain(CallersSpan, seen, StringComparison.Ordinal);
        Assert.Empty(await receiver.TraceAsync(trace));
    }

    [Fact]
    public async Task A_request_without_a_trace_begins_one()
    {
        await using var server = await ReplicaServer.StartAsync("web", TellTraceAsync);
        string? seen;
        await using (var proxy = await StartAsync(options => options with { BeginTraces = true }))
        {
            proxy.Serve(server.Id);
            seen = await AskAsync(proxy, "/", null, HttpStatusCode.OK);
        }

        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", seen);
        var request = Assert.Single(await receiver.TraceAsync(seen![3..35]), IsServer);
        Assert.Null(request.ParentSpanId);
    }

    [Fact]
    public async Task A_receiver_that_says_nothing_costs_spans_and_no_request()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var server = await ReplicaServer.StartAsync("web");
        var dropped = SpanQueue.Dropped.Value;
        await using (var proxy = await StartAsync(options => options with { OtlpEndpoint = new($"http://{silent.LocalEndpoint}") }))
        {
            proxy.Serve(server.Id);
            await Parallel.ForAsync(0, 1500, Cancellation, async (_, cancellation) =>
                Assert.Equal("web", await proxy.Client.GetStringAsync("/", cancellation)));
        }

        // 1500 times two came, and 2048 may wait; fewer are dropped if the first batch was given up meanwhile.
        Assert.InRange(SpanQueue.Dropped.Value - dropped, 1, 3000 - 2048);
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_costs_spans_and_no_request()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        var failed = SpanQueue.Failed.Value;
        await using (var proxy = await StartAsync(options => options with { OtlpEndpoint = new($"http://127.0.0.1:{FreePort.Next()}") }))
        {
            proxy.Serve(server.Id);
            Assert.Equal("web", await proxy.Client.GetStringAsync("/", Cancellation));
        }

        Assert.True(SpanQueue.Failed.Value - failed >= 2);
    }

    [Fact]
    public async Task Without_a_receiver_no_span_is_made_though_somebody_would_listen()
    {
        var trace = NewTrace();
        var made = 0;
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == SpanExport.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
            {
                _ = options.TraceId.ToHexString() == trace ? Interlocked.Increment(ref made) : 0;
                return ActivitySamplingResult.None;
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var server = await ReplicaServer.StartAsync("web", TellTraceAsync);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        Assert.Equal($"00-{trace}-{CallersSpan}-01", await AskAsync(proxy, "/", trace, HttpStatusCode.OK));
        Assert.Equal(0, made);
    }

    private static bool IsServer(ReceivedSpan span) => span.Kind == ReceivedSpan.Server;

    private static bool IsClient(ReceivedSpan span) => span.Kind == ReceivedSpan.Client;

    private static void AssertHas(ReceivedSpan span, params (string Name, string? Value)[] attributes) =>
        Assert.Equal(attributes, attributes.Select(attribute => (attribute.Name, span[attribute.Name])));

    private static string NewTrace() => ActivityTraceId.CreateRandom().ToHexString();

    private static Task TellTraceAsync(HttpContext context) => context.Response.WriteAsync(context.Request.Headers.TraceParent.ToString());

    private static HttpRequestMessage RequestOf(string path, string? trace, bool sampled = true)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (trace is not null)
        {
            request.Headers.Add("traceparent", $"00-{trace}-{CallersSpan}-{(sampled ? "01" : "00")}");
        }

        return request;
    }

    private static async Task<string> AskAsync(TestProxy proxy, string path, string? trace, HttpStatusCode expected, bool sampled = true)
    {
        using var request = RequestOf(path, trace, sampled);
        using var answer = await proxy.Client.SendAsync(request, Cancellation);
        Assert.Equal(expected, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync(Cancellation);
    }

    private Task<TestProxy> StartAsync(Func<ProxyOptions, ProxyOptions>? with = null) => TestProxy.StartAsync(options =>
    {
        options = options with { OtlpEndpoint = receiver.Grpc };
        return with is null ? options : with(options);
    });

    /// <summary>One for all tests: it takes seconds to start.</summary>
    public sealed class Receiver : IAsyncLifetime
    {
        private OtlpReceiver _receiver = null!;

        public Uri Grpc => _receiver.Grpc;

        public Uri OverHttp => _receiver.OverHttp;

        public Task<IReadOnlyList<ReceivedSpan>> TraceAsync(string traceId) => _receiver.TraceAsync(traceId);

        public async ValueTask InitializeAsync() => _receiver = await OtlpReceiver.StartAsync();

        public ValueTask DisposeAsync() => _receiver.DisposeAsync();
    }
}
