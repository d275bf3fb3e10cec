using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class RetryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_endpoint_that_refuses_connections_costs_no_request_and_is_avoided()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, TestProxy.Refusing(), server.Id, TestProxy.Refusing("refusing too"));

        for (var i = 0; i < 100; i++)
        {
            using var response = await proxy.Client.GetAsync("/", Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(100, server.Requests);
        Assert.Equal(["refusing", "refusing too"], proxy.App.Endpoints.Where(endpoint => endpoint.IsSuspect).Select(endpoint => endpoint.Id.Uid));
        Assert.Equal(2, proxy.App.Metrics.Retries.Value);
    }

    [Fact]
    public async Task An_endpoint_that_takes_connections_again_gets_requests_again()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        var port = FreePort.Next();
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, server.Id, server.Id with { Uid = "late", Port = port });
        await proxy.Client.GetStringAsync("/", Cancellation);
        await proxy.Client.GetStringAsync("/", Cancellation);
        Assert.True(proxy.App.Endpoints[1].IsSuspect);

        await using var late = await ReplicaServer.StartAsync("late", port: port);

        await Eventually.True(async () => await proxy.Client.GetStringAsync("/", Cancellation) == "late");
        Assert.False(proxy.App.Endpoints[1].IsSuspect);
    }

    [Fact]
    public async Task After_a_failure_another_host_is_asked_first_however_many_replicas_the_dead_one_had()
    {
        await using var server = await ReplicaServer.StartAsync("alive");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(
            BalancingPolicies.RoundRobin,
            [.. Enumerable.Range(0, 9).Select(i => TestProxy.Refusing($"dead {i}") with { Address = "127.0.0.2" }), server.Id]);

        Assert.Equal("alive", await proxy.Client.GetStringAsync("/", Cancellation));
        Assert.Equal(1, proxy.App.Metrics.Retries.Value);
    }

    [Fact]
    public async Task When_no_endpoint_takes_a_connection_the_client_is_told_and_all_were_tried()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(TestProxy.Refusing("a"), TestProxy.Refusing("b"), TestProxy.Refusing("c"));

        using var response = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal($"502 ConnectFailed: no replica of app {proxy.App.Key} accepted a connection\n", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("orchestrator; error=connection_refused", response.Headers.GetValues("Proxy-Status").Single());
        Assert.All(proxy.App.Endpoints, endpoint => Assert.True(endpoint.IsSuspect));
        Assert.Equal(2, proxy.App.Metrics.Retries.Value);
    }

    [Fact]
    public async Task A_host_that_drops_packets_counts_as_one_that_refuses()
    {
        // A backlog that is full drops what comes, as a host that is cut off does.
        using var full = new FullBacklog();
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync(options => options with { ConnectTimeout = TimeSpan.FromMilliseconds(200) });
        proxy.Serve(BalancingPolicies.RoundRobin, full.Id, server.Id);

        Assert.Equal("web", await proxy.Client.GetStringAsync("/", Cancellation));
        Assert.True(proxy.App.Endpoints[0].IsSuspect);
    }

    [Fact]
    public async Task A_body_is_sent_to_another_endpoint_when_no_connection_came_about()
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, TestProxy.Refusing(), server.Id);

        using var response = await proxy.Client.PostAsync("/", new StringContent("the body"), Cancellation);

        Assert.Equal("the body", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(1, proxy.App.Metrics.Retries.Value);
    }

    [Theory]
    [InlineData("POST", "body")]
    [InlineData("PUT", "body")]
    [InlineData("POST", null)]
    [InlineData("PATCH", null)]
    public async Task What_may_have_had_an_effect_is_not_sent_twice(string method, string? body)
    {
        await using var breaks = new RawReplicaServer("breaks", _ => null);
        await using var other = new RawReplicaServer("other", _ => RawReplicaServer.Ok);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, breaks.Id, other.Id);

        using var response = await proxy.Client.SendAsync(Request(method, body), Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.StartsWith("502 ReplicaFailed: ", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal((1, 0), (breaks.Requests, other.Requests));
    }

    [Theory]
    [InlineData("POST", "body", true)]
    [InlineData("POST", null, true)]
    [InlineData("POST", "body", false)]
    [InlineData("POST", null, false)]
    public async Task Nor_when_the_connection_it_was_sent_on_had_served_before(string method, string? body, bool reset)
    {
        await using var breaks = new RawReplicaServer("breaks", before => before == 0 ? RawReplicaServer.Ok : null, reset);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(breaks.Id);
        Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Cancellation));

        using var response = await proxy.Client.SendAsync(Request(method, body), Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Equal(2, breaks.Requests);
    }

    [Fact]
    public async Task Nor_when_it_says_nothing_of_a_body()
    {
        // No Content-Length: to the client library it is a request without content, which it would send again and again.
        await using var breaks = new RawReplicaServer("breaks", _ => null, reset: false);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(breaks.Id);

        var answer = await RawClient.SendAsync(proxy.Url, "LOCK / HTTP/1.1\r\nHost: a\r\n\r\n", Cancellation);

        Assert.StartsWith("HTTP/1.1 502", answer, StringComparison.Ordinal);
        Assert.Equal(1, breaks.Requests);
    }

    [Theory]
    [InlineData("GET", true)]
    [InlineData("GET", false)]
    [InlineData("HEAD", false)]
    [InlineData("DELETE", true)]
    [InlineData("OPTIONS", false)]
    public async Task What_may_be_repeated_is_sent_to_another_endpoint_when_a_replica_breaks_off(string method, bool reset)
    {
        await using var breaks = new RawReplicaServer("breaks", _ => null, reset);
        await using var other = new RawReplicaServer("other", _ => method == "HEAD" ? "HTTP/1.1 200 OK\r\n\r\n" : RawReplicaServer.Ok);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, breaks.Id, other.Id);

        using var response = await proxy.Client.SendAsync(Request(method, null), Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((1, 1), (breaks.Requests, other.Requests));
        Assert.False(proxy.App.Endpoints[0].IsSuspect);
    }

    [Fact]
    public async Task A_connection_that_its_server_closed_while_idle_costs_nothing()
    {
        await using var closes = new RawReplicaServer("closes", before => before % 2 == 0 ? RawReplicaServer.Ok : null, reset: false);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(closes.Id);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Cancellation));
        }

        Assert.Equal(0, proxy.App.Metrics.Retries.Value);
    }

    [Fact]
    public async Task An_error_of_the_app_is_the_apps_answer_and_not_tried_again()
    {
        await using var failing = await ReplicaServer.StartAsync("failing", context =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsync("of the app");
        });
        await using var other = await ReplicaServer.StartAsync("other");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(BalancingPolicies.RoundRobin, failing.Id, other.Id);

        using var response = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal("of the app", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(0, other.Requests);
    }

    [Fact]
    public void Retries_are_a_fifth_of_the_requests_and_a_small_floor()
    {
        var time = new FakeTimeProvider();
        var budget = new RetryBudget(time);
        Assert.Equal(100, Spend());

        for (var i = 0; i < 1000; i++)
        {
            budget.CountRequest();
        }

        Assert.Equal(200, Spend());

        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(300, Spend());

        time.Advance(TimeSpan.FromSeconds(100));
        Assert.Equal(100, Spend());

        int Spend()
        {
            var spent = 0;
            while (budget.TrySpend())
            {
                spent++;
            }

            return spent;
        }
    }

    [Fact]
    public async Task When_the_budget_is_spent_requests_fail_instead_of_multiplying()
    {
        await using var breaks = new RawReplicaServer("breaks", _ => null);
        await using var breaksToo = new RawReplicaServer("breaks too", _ => null);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(breaks.Id, breaksToo.Id);

        for (var i = 0; i < 200; i++)
        {
            using var response = await proxy.Client.GetAsync("/", Cancellation);
            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        }

        Assert.InRange(proxy.App.Metrics.Retries.Value, 100, 160);
        Assert.Equal(200, proxy.App.Metrics.Retries.Value + proxy.App.Metrics.RetriesRefused.Value);
    }

    private static HttpRequestMessage Request(string method, string? body) =>
        new(new HttpMethod(method), "/") { Content = body is null ? null : new StringContent(body) };
}
