using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class ForwardingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_replica_gets_the_request_as_the_client_sent_it_and_who_the_client_was()
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Response.WriteAsJsonAsync(new Seen(
            context.Request.Method,
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase))));
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var request = new HttpRequestMessage(
            HttpMethod.Delete, new Uri(proxy.Url + "a%2Fb/c%20d//e?q=%7B1%7D&x", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        request.Headers.Host = "shop.example.org";
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "6.6.6.6");
        request.Headers.TryAddWithoutValidation("x-forwarded-proto", "https");
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", "evil.example.org");
        request.Headers.TryAddWithoutValidation("Forwarded", "for=6.6.6.6");
        request.Headers.TryAddWithoutValidation("X-Real-IP", "6.6.6.6");
        request.Headers.TryAddWithoutValidation("X-Custom", "kept");
        request.Headers.TryAddWithoutValidation("Cookie", "a=1; b=2");
        using var response = await proxy.Client.SendAsync(request, Cancellation);
        var seen = await response.Content.ReadFromJsonAsync<Seen>(Cancellation);

        Assert.NotNull(seen);
        Assert.Equal("DELETE", seen.Method);
        Assert.Equal("/a%2Fb/c%20d//e?q=%7B1%7D&x", seen.Target);
        var headers = new Dictionary<string, string>(seen.Headers, StringComparer.OrdinalIgnoreCase);
        Assert.Equal("shop.example.org", headers["Host"]);
        Assert.Equal("127.0.0.1", headers["X-Forwarded-For"]);
        Assert.Equal("http", headers["X-Forwarded-Proto"]);
        Assert.Equal("shop.example.org", headers["X-Forwarded-Host"]);
        Assert.Equal("kept", headers["X-Custom"]);
        Assert.Equal("a=1; b=2", headers["Cookie"]);
        Assert.DoesNotContain("Forwarded", headers.Keys);
        Assert.DoesNotContain("X-Real-IP", headers.Keys);
        Assert.DoesNotContain("traceparent", headers.Keys);
        Assert.Equal(headers["X-Request-Id"], Assert.Single(response.Headers.GetValues("X-Request-Id")));
    }

    [Fact]
    public async Task A_replica_that_goes_is_left_without_a_connection_and_another_keeps_its_own()
    {
        await using var going = new RawReplicaServer("going", _ => RawReplicaServer.Ok);
        await using var staying = new RawReplicaServer("staying", _ => RawReplicaServer.Ok);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, going.Id, staying.Id);
        Assert.Equal(["ok", "ok"], [await proxy.Client.GetStringAsync("/", Cancellation), await proxy.Client.GetStringAsync("/", Cancellation)]);
        Assert.Equal((1, 1), (going.Open, staying.Open));
        var kept = proxy.App.Endpoints.Single(endpoint => endpoint.Id == staying.Id).Connections;

        proxy.Serve(BalancingPolicies.RoundRobin, staying.Id);

        await Eventually.True(() => Task.FromResult(going.Open == 0));
        Assert.NotNull(kept);
        Assert.Same(kept, Assert.Single(proxy.App.Endpoints).Connections);
    }

    [Fact]
    public async Task A_client_gets_the_answer_as_the_replica_gave_it()
    {
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = "/elsewhere";
            context.Response.Headers.Server = "of the replica";
            context.Response.Headers.Append("Set-Cookie", new[] { "a=1", "b=2" });
            context.Response.Headers.ContentEncoding = "gzip";
            return context.Response.Body.WriteAsync(new byte[] { 1, 2, 3 }).AsTask();
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var response = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal(HttpStatusCode.Found, response.StatusCode);
        Assert.Equal("/elsewhere", response.Headers.Location?.ToString());
        Assert.Equal("of the replica", response.Headers.Server.ToString());
        Assert.Equal(["a=1", "b=2"], response.Headers.GetValues("Set-Cookie"));
        Assert.Equal([1, 2, 3], await response.Content.ReadAsByteArrayAsync(Cancellation));
        Assert.False(response.Headers.Contains("Proxy-Status"));
    }

    [Fact]
    public async Task A_field_that_the_client_meant_for_its_connection_ends_here()
    {
        Dictionary<string, string>? seen = null;
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            seen = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            return Task.CompletedTask;
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        const string request = "POST / HTTP/1.1\r\nHost: shop.example.org\r\nConnection: x-hop,\r\nConnection: X-Other, Host, Content-Length, X-Forwarded-For\r\n"
            + "X-Hop: 1\r\nX-Other: 1\r\nX-Kept: 1\r\nContent-Length: 1\r\n\r\nx";
        Assert.StartsWith("HTTP/1.1 200", await RawClient.SendAsync(proxy.Url, request, Cancellation), StringComparison.Ordinal);

        Assert.NotNull(seen);
        Assert.DoesNotContain("X-Hop", seen.Keys);
        Assert.DoesNotContain("X-Other", seen.Keys);
        Assert.Equal(("1", "shop.example.org", "1", "127.0.0.1"), (seen["X-Kept"], seen["Host"], seen["Content-Length"], seen["X-Forwarded-For"]));
    }

    [Fact]
    public async Task A_field_that_the_replica_meant_for_its_connection_ends_here()
    {
        await using var server = new RawReplicaServer(
            "web", _ => "HTTP/1.1 200 OK\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nX-Kept: 1\r\nContent-Length: 2\r\n\r\nok");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var response = await proxy.Client.GetAsync("/", Cancellation);

        Assert.False(response.Headers.Contains("X-Hop"));
        Assert.True(response.Headers.Contains("X-Kept"));
        Assert.Equal("ok", await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Theory]
    [InlineData("keep-alive")]
    [InlineData("Upgrade")]
    [InlineData("keep-alive, Upgrade")]
    public void Where_no_field_is_meant_for_the_connection_nothing_is_allocated(string connection)
    {
        var headers = new HeaderDictionary();
        var values = new Microsoft.Extensions.Primitives.StringValues(connection);
        ConnectionOptions.RemoveNamed(values, headers);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            ConnectionOptions.RemoveNamed(values, headers);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("*/*", "text/plain", "503 NoReadyReplica: no replica of app {0} is ready\n")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "text/plain", "503 NoReadyReplica: no replica of app {0} is ready\n")]
    [InlineData("application/json", "application/json", "{\"status\":503,\"reason\":\"NoReadyReplica\",\"app\":\"{0}\",\"message\":\"no replica of app {0} is ready\"}")]
    [InlineData("application/problem+json, text/plain;q=0.5", "application/json", "{\"status\":503,\"reason\":\"NoReadyReplica\",\"app\":\"{0}\",\"message\":\"no replica of app {0} is ready\"}")]
    public async Task Without_a_ready_replica_a_client_is_told_so_and_when_to_come_again(string accept, string type, string body)
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve();

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("1", response.Headers.GetValues("Retry-After").Single());
        Assert.Equal("orchestrator; error=destination_unavailable", response.Headers.GetValues("Proxy-Status").Single());
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(body.Replace("{0}", proxy.App.Key.ToString(), StringComparison.Ordinal), await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task A_host_that_no_app_has_is_not_found_once_the_routes_are_known()
    {
        await using var proxy = await TestProxy.StartAsync();

        proxy.RoutesKnown = false;
        using var early = await proxy.Client.GetAsync("/", Cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);

        proxy.RoutesKnown = true;
        using var response = await proxy.Client.GetAsync("/", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("404 NoRoute: no app is routed at this host and path\n", await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task A_head_request_gets_an_error_without_a_body()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve();

        using var response = await proxy.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/"), Cancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a:port\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "HTTP/1.1 400")]
    [InlineData("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200")]
    [InlineData("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200")]
    public async Task Requests_that_are_not_right_are_refused_and_odd_ones_served(string request, string answer)
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        Assert.StartsWith(answer, await RawClient.SendAsync(proxy.Url, request, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replica_that_says_nothing_for_too_long_is_a_gateway_timeout()
    {
        await using var server = await ReplicaServer.StartAsync("web", context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await using var proxy = await TestProxy.StartAsync(options => options with { IdleTimeout = TimeSpan.FromMilliseconds(200) });
        proxy.Serve(server.Id);

        using var response = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.StartsWith($"504 ReplicaTimeout: a replica of app {proxy.App.Key} ", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.False(proxy.App.Endpoints[0].IsSuspect);
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_the_replicas_work_and_is_nobodys_failure()
    {
        var arrived = new TaskCompletionSource();
        var ended = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            arrived.TrySetResult();
            await using var register = context.RequestAborted.Register(ended.SetResult);
            await ended.Task;
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id, TestProxy.Refusing());
        proxy.App.Avoid(proxy.App.Endpoints[1], AvoidReasons.NoConnection);

        using var leaving = new CancellationTokenSource();
        var request = proxy.Client.GetAsync("/", leaving.Token);
        await arrived.Task.WaitAsync(Cancellation);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, Cancellation);
        await Eventually.True(() => proxy.App.Metrics.Requests(499).Value == 1);
        Assert.Equal(1, server.Requests);
        Assert.Equal(0, proxy.App.Metrics.Requests(500).Value);
        Assert.Equal(0, proxy.App.Metrics.Retries.Value);
        Assert.False(proxy.App.Endpoints[0].IsSuspect);
        Assert.Equal(0, proxy.App.Endpoints[0].InFlight);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_reaches_the_client_as_broken_not_as_whole()
    {
        await using var server = new RawReplicaServer("web", _ => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\npart");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var response = await proxy.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        server.DropConnections();

        await Assert.ThrowsAsync<HttpRequestException>(() => response.Content.ReadAsStringAsync(Cancellation));
        await Eventually.True(() => proxy.App.Metrics.BrokenOff.Value == 1);
    }

    [Fact]
    public async Task Requests_are_counted_by_app_and_class_and_timed()
    {
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            context.Response.StatusCode = int.Parse(context.Request.Query["status"].ToString(), System.Globalization.CultureInfo.InvariantCulture);
            return Task.CompletedTask;
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        foreach (var status in new[] { 200, 204, 301, 404, 500, 503, 599 })
        {
            using var response = await proxy.Client.PostAsync($"/?status={status}", new StringContent("x", Encoding.UTF8), Cancellation);
            Assert.Equal(status, (int)response.StatusCode);
        }

        var metrics = proxy.App.Metrics;
        await Eventually.True(() => metrics.Duration.Count == 7);
        Assert.Equal([2, 1, 1, 3], new[] { 200, 300, 400, 500 }.Select(status => (int)metrics.Requests(status).Value));
        Assert.Equal(0, metrics.InFlight.Value);
    }

    private sealed record Seen(string Method, string Target, Dictionary<string, string> Headers);
}
