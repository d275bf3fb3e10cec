using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>Matches, rewrites, headers and redirects over real sockets.</summary>
public sealed class RouteRulesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/api", "/", "/api/users?x=1", "/users?x=1")]
    [InlineData("/api", "/", "/api", "/")]
    [InlineData("/api", "/v2/", "/api/a%2Fb//c%20d", "/v2/a%2Fb//c%20d")]
    [InlineData("/api", "/v2", "/api/", "/v2/")]
    [InlineData("/", "/below", "/x", "/below/x")]
    public async Task A_replica_gets_the_rewritten_path(string path, string to, string target, string seen)
    {
        await using var server = await StartAsync();
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, server, new Route { Path = path, Rewrite = new RouteRewrite { Path = to } });

        Assert.Equal(seen, (await GetAsync(proxy, target)).Seen.Target);
    }

    [Fact]
    public async Task A_replica_gets_the_rewritten_host_and_is_told_the_clients()
    {
        await using var server = await StartAsync();
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, server, new Route { Rewrite = new RouteRewrite { Host = "inner.example.org" } });

        var (seen, _) = await GetAsync(proxy, "/", ("Host", "outer.example.org"));

        Assert.Equal("inner.example.org", seen.Headers["Host"]);
        Assert.Equal("outer.example.org", seen.Headers["X-Forwarded-Host"]);
    }

    [Fact]
    public async Task Headers_of_requests_are_removed_set_and_added()
    {
        await using var server = await StartAsync();
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, server, new Route
        {
            RequestHeaders = new HeaderEdits
            {
                Set = [Header("X-Env", "prod"), Header("X-Forwarded-Proto", "https"), Header("Content-Type", "text/csv")],
                Add = [Header("X-Via", "orc"), Header("X-Via", "twice")],
                Remove = ["X-Debug", "Content-Language"],
            },
        });

        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent("a;b") };
        request.Content.Headers.ContentLanguage.Add("de");
        request.Headers.Add("X-Env", "test");
        request.Headers.Add("X-Via", "client");
        request.Headers.Add("X-Debug", "1");
        using var response = await proxy.Client.SendAsync(request, Cancellation);
        var seen = await response.Content.ReadFromJsonAsync<Seen>(Cancellation);

        Assert.Equal("prod", seen!.Headers["X-Env"]);
        Assert.Equal("https", seen.Headers["X-Forwarded-Proto"]);
        Assert.Equal("text/csv", seen.Headers["Content-Type"]);
        Assert.Equal("client, orc, twice", seen.Headers["X-Via"]);
        Assert.DoesNotContain("X-Debug", seen.Headers.Keys);
        Assert.DoesNotContain("Content-Language", seen.Headers.Keys);
    }

    [Fact]
    public async Task Headers_of_answers_are_removed_set_and_added()
    {
        await using var server = await StartAsync();
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, server, new Route
        {
            ResponseHeaders = new HeaderEdits
            {
                Set = [Header("Cache-Control", "no-store")],
                Add = [Header("X-Kind", "more")],
                Remove = ["Server"],
            },
        });

        var (_, response) = await GetAsync(proxy, "/");

        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        Assert.Equal(["plain", "more"], response.Headers.GetValues("X-Kind"));
        Assert.Empty(response.Headers.Server);
    }

    [Fact]
    public async Task A_request_that_is_tried_again_is_changed_once()
    {
        await using var server = await StartAsync();
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, [TestProxy.Refusing("a"), TestProxy.Refusing("b"), server.Id], new Route
        {
            Path = "/api",
            Rewrite = new RouteRewrite { Path = "/api/api" },
            RequestHeaders = new HeaderEdits { Add = [Header("X-Via", "orc")] },
        });

        var (seen, _) = await GetAsync(proxy, "/api/x");

        Assert.Equal("/api/api/x", seen.Target);
        Assert.Equal("orc", seen.Headers["X-Via"]);
    }

    [Fact]
    public async Task Redirects_are_answered_without_a_replica_and_counted_as_the_apps()
    {
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, [], new Route
        {
            Hosts = ["example.org"],
            Redirects =
            [
                new RouteRedirect { Hosts = ["www.example.org"], To = "https://example.org", Status = 301 },
                new RouteRedirect { Path = "/old", To = "/new" },
            ],
        });

        using var apex = await SendAsync(proxy, "/a?b=1", ("Host", "www.example.org"));
        using var moved = await SendAsync(proxy, "/old/x", ("Host", "example.org"));
        using var served = await SendAsync(proxy, "/older", ("Host", "example.org"));

        Assert.Equal((HttpStatusCode.MovedPermanently, "https://example.org/a?b=1"), (apex.StatusCode, apex.Headers.Location?.ToString()));
        Assert.Equal((HttpStatusCode.Found, "/new/x"), (moved.StatusCode, moved.Headers.Location?.ToString()));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, served.StatusCode);
        Assert.Equal(2, proxy.App.Metrics.Requests(301).Value);
    }

    [Fact]
    public async Task Methods_and_headers_choose_the_app()
    {
        await using var reads = await ReplicaServer.StartAsync("reads");
        await using var writes = await ReplicaServer.StartAsync("writes");
        await using var beta = await ReplicaServer.StartAsync("beta");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Routes.ReplaceAll(
        [
            RouteOf(proxy, "reads", new Route(), [reads.Id]),
            RouteOf(proxy, "writes", new Route { Match = new RouteMatch { Methods = ["POST", "PUT"] } }, [writes.Id]),
            RouteOf(proxy, "beta", new Route
            {
                Match = new RouteMatch { Headers = [new HeaderMatch { Name = "User-Agent", Type = HeaderMatchTypes.RegularExpression, Value = ".*Beta/[0-9]+.*" }] },
            }, [beta.Id]),
        ]);

        using var posted = await proxy.Client.PostAsync("/", new StringContent("x"), Cancellation);
        using var tried = await SendAsync(proxy, "/", ("User-Agent", "Client/1 Beta/7"));

        Assert.Equal("reads", await proxy.Client.GetStringAsync("/", Cancellation));
        Assert.Equal("writes", await posted.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("beta", await tried.Content.ReadAsStringAsync(Cancellation));
    }

    private static Task<ReplicaServer> StartAsync() => ReplicaServer.StartAsync("web", context =>
    {
        context.Response.Headers.Server = "of the replica";
        context.Response.Headers.CacheControl = "public";
        context.Response.Headers["X-Kind"] = "plain";
        return context.Response.WriteAsJsonAsync(new Seen(
            context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
    });

    private static void Serve(TestProxy proxy, ReplicaServer server, Route route) => Serve(proxy, [server.Id], route);

    private static void Serve(TestProxy proxy, EndpointId[] endpoints, Route route) =>
        proxy.Routes.ReplaceAll([RouteOf(proxy, "web", route, endpoints)]);

    private static AppRoute RouteOf(TestProxy proxy, string app, Route route, EndpointId[] endpoints)
    {
        route.Balancing = BalancingPolicies.RoundRobin;
        return new(new ObjectKey(proxy.Namespace, app), route, [.. RouteClaims.Of(route)], endpoints);
    }

    private static HeaderValue Header(string name, string value) => new() { Name = name, Value = value };

    private static async Task<(Seen Seen, HttpResponseMessage Response)> GetAsync(TestProxy proxy, string target, params (string, string)[] headers)
    {
        var response = await SendAsync(proxy, target, headers);
        var seen = (await response.Content.ReadFromJsonAsync<Seen>(Cancellation))!;
        return (seen with { Headers = new(seen.Headers, StringComparer.OrdinalIgnoreCase) }, response);
    }

    private static Task<HttpResponseMessage> SendAsync(TestProxy proxy, string target, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(proxy.Url.ToString().TrimEnd('/') + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return proxy.Client.SendAsync(request, Cancellation);
    }

    private sealed record Seen(string Target, Dictionary<string, string> Headers);
}
