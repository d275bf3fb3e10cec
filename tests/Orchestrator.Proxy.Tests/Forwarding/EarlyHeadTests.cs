using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>The head of an answer goes on as soon as it is there, with its body only if that is there as well.</summary>
public sealed class EarlyHeadTests
{
    private const string Chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Early: yes\r\n\r\n";
    private const string ByLength = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Early: yes\r\n\r\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // Replicas that are told of their clients are asked by YARP.
    [Theory]
    [InlineData(Chunked, null)]
    [InlineData(ByLength, null)]
    [InlineData(Chunked, ProxyProtocolVersions.V1)]
    [InlineData(ByLength, ProxyProtocolVersions.V1)]
    public async Task A_head_without_a_byte_of_its_body_reaches_a_client_of_http1(string head, string? proxyProtocol)
    {
        await using var server = new RawReplicaServer("web", _ => head);
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, new Route { ProxyProtocol = proxyProtocol }, server.Id);

        var answer = await RawClient.SendAsync(proxy.Url, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", Cancellation);

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("X-Early: yes\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Chunked)]
    [InlineData(ByLength)]
    public async Task And_a_client_of_http2(string head)
    {
        await using var server = new RawReplicaServer("web", _ => head);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var request = Http2(proxy, HttpMethod.Get);
        using var response = await proxy.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);

        Assert.Equal("yes", Assert.Single(response.Headers.GetValues("X-Early")));
    }

    [Fact]
    public async Task And_from_a_replica_of_http2_that_waits_for_more_of_the_request()
    {
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            await context.Response.StartAsync(context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
        }, protocols: HttpProtocols.Http2);
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, new Route { Protocol = ReplicaProtocols.Grpc }, server.Id);
        using var body = new LateContent();
        using var request = Http2(proxy, HttpMethod.Post);
        request.Content = body;

        // Says nothing before the answer's head is there.
        using var response = await proxy.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        body.Text.SetResult("late");

        Assert.Equal("late", await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task A_head_and_body_that_come_together_go_on_together()
    {
        await using var server = new RawReplicaServer("web", _ => RawReplicaServer.Ok);
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        Assert.EndsWith("\r\n\r\nok", await RawClient.SendAsync(proxy.Url, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", Cancellation), StringComparison.Ordinal);
    }

    private static void Serve(TestProxy proxy, Route route, EndpointId endpoint) =>
        proxy.ServeRoutes(new AppRoute(new(proxy.Namespace, "web"), route, [new RouteClaim(null, null, "/")], [endpoint]));

    private static HttpRequestMessage Http2(TestProxy proxy, HttpMethod method) =>
        new(method, proxy.Url) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    /// <summary>Its length is not told, and it has nothing until it is given a text.</summary>
    private sealed class LateContent : HttpContent
    {
        public TaskCompletionSource<string> Text { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync(Cancellation);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(await Text.Task), Cancellation);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
