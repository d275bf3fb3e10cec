using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>What replicas and clients see of addresses, ids and traces, over real sockets.</summary>
public sealed class RequestIdentityTests
{
    private const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_trusted_proxy_says_of_the_client_is_continued()
    {
        var (seen, response) = await SendAsync(
            options => options with { TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")], Forwarded = true },
            ("X-Forwarded-For", "6.6.6.6, 203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example.org"), ("X-Request-Id", "abc-1"));

        Assert.Equal("203.0.113.7, 127.0.0.1", seen["X-Forwarded-For"]);
        Assert.Equal("https", seen["X-Forwarded-Proto"]);
        Assert.Equal("shop.example.org", seen["X-Forwarded-Host"]);
        Assert.Equal("for=203.0.113.7;proto=https;host=\"shop.example.org\", for=127.0.0.1", seen["Forwarded"]);
        Assert.Equal("abc-1", seen["X-Request-Id"]);
        Assert.Equal(["abc-1"], response.Headers.GetValues("X-Request-Id"));
    }

    [Fact]
    public async Task Who_is_not_trusted_gets_an_id_of_the_proxys()
    {
        var (seen, response) = await SendAsync(
            options => options with { TrustedProxies = [IPNetwork.Parse("10.0.0.0/8")] }, ("X-Request-Id", "abc-1"), ("X-Forwarded-For", "203.0.113.7"));

        Assert.Equal("127.0.0.1", seen["X-Forwarded-For"]);
        Assert.NotEqual("abc-1", seen["X-Request-Id"]);
        Assert.Equal([seen["X-Request-Id"]], response.Headers.GetValues("X-Request-Id"));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("<script>")]
    [InlineData("")]
    public async Task An_id_that_is_none_is_not_kept(string id)
    {
        var (seen, _) = await SendAsync(options => options with { TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")] }, ("X-Request-Id", id));

        Assert.Matches("^[0-9a-f]{16}-[0-9a-f]{8}$", seen["X-Request-Id"]);
    }

    [Fact]
    public async Task Each_request_has_an_id_of_its_own_also_when_no_replica_answers()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(TestProxy.Refusing("a"), TestProxy.Refusing("b"));

        using var first = await proxy.Client.GetAsync("/", Cancellation);
        using var second = await proxy.Client.GetAsync("/", Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, first.StatusCode);
        Assert.NotEqual(Assert.Single(first.Headers.GetValues("X-Request-Id")), Assert.Single(second.Headers.GetValues("X-Request-Id")));
    }

    [Fact]
    public async Task Without_ids_nothing_is_added_and_nothing_taken()
    {
        var (seen, response) = await SendAsync(options => options with { RequestIds = false }, ("X-Request-Id", "abc-1"));

        Assert.Equal("abc-1", seen["X-Request-Id"]);
        Assert.Equal(["of the replica"], response.Headers.GetValues("X-Request-Id"));
    }

    [Fact]
    public async Task A_trace_goes_on_whoever_sends_it()
    {
        var (seen, _) = await SendAsync(options => options, ("traceparent", Parent), ("tracestate", "a=1,b=2"), ("baggage", "k=v"));

        Assert.Equal((Parent, "a=1,b=2", "k=v"), (seen["traceparent"], seen["tracestate"], seen["baggage"]));
    }

    [Fact]
    public async Task A_trace_is_begun_if_wanted()
    {
        var (seen, _) = await SendAsync(options => options with { BeginTraces = true });

        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", seen["traceparent"]);
    }

    private static async Task<(Dictionary<string, string> Seen, HttpResponseMessage Response)> SendAsync(
        Func<ProxyOptions, ProxyOptions> with, params (string Name, string Value)[] headers)
    {
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            context.Response.Headers["X-Request-Id"] = "of the replica";
            return context.Response.WriteAsJsonAsync(context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString()));
        });
        await using var proxy = await TestProxy.StartAsync(with);
        proxy.Serve(server.Id);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await proxy.Client.SendAsync(request, Cancellation);
        var seen = await response.Content.ReadFromJsonAsync<Dictionary<string, string>>(Cancellation);
        return (new(seen!, StringComparer.OrdinalIgnoreCase), response);
    }
}
