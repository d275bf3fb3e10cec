using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>HTTP/2 on either side, and gRPC as the frames it is made of.</summary>
public sealed class Http2Tests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1.1", null, "HTTP/1.1")]
    [InlineData("2.0", null, "HTTP/1.1")]
    [InlineData("1.1", ReplicaProtocols.H2c, "HTTP/2")]
    [InlineData("2.0", ReplicaProtocols.H2c, "HTTP/2")]
    [InlineData("2.0", ReplicaProtocols.Grpc, "HTTP/2")]
    public async Task Each_side_speaks_its_own_version_on_the_plain_port(string client, string? protocol, string seen)
    {
        await using var server = await StartAsync(protocol, async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            await context.Response.WriteAsync($"{context.Request.Protocol} {context.Request.Host} {context.Request.Path}{context.Request.QueryString} {body.Length}");
        });
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, protocol, server);

        using var request = Request(proxy, "a%2Fb?c", HttpMethod.Put, Version.Parse(client));
        request.Content = new ByteArrayContent(new byte[300_000]);
        request.Headers.Host = "shop.example.org";
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal(Version.Parse(client), response.Version);
        Assert.Equal($"{seen} shop.example.org /a%2Fb?c 300000", await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Both_versions_are_spoken_on_one_port_at_a_time()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);
        var versions = Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20).ToList();

        var answers = await Task.WhenAll(versions.Select(async version =>
        {
            using var client = TestProxy.NewClient(proxy.Url);
            using var request = Request(proxy, "", HttpMethod.Get, version);
            using var response = await client.SendAsync(request, Cancellation);
            return (response.Version, await response.Content.ReadAsStringAsync(Cancellation));
        }));

        Assert.Equal(versions.Select(version => (version, "web")), answers);
    }

    [Fact]
    public async Task A_listener_that_closes_finishes_what_came_by_http2()
    {
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            begun.SetResult();
            await go.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("done");
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);
        using var request = Request(proxy, "", HttpMethod.Get, HttpVersion.Version20);
        var asking = proxy.Client.SendAsync(request, Cancellation);
        await begun.Task.WaitAsync(Cancellation);

        var closing = proxy.Listeners.CloseAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.False(closing.IsCompleted);
        go.SetResult();

        using var response = await asking;
        Assert.Equal("done", await response.Content.ReadAsStringAsync(Cancellation));
        await closing.WaitAsync(Cancellation);
    }

    [Fact]
    public async Task An_idle_http2_connection_does_not_hold_up_a_listener_that_closes()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);
        using var request = Request(proxy, "", HttpMethod.Get, HttpVersion.Version20);
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        await proxy.Listeners.CloseAsync(TimeSpan.FromSeconds(60), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
    }

    [Fact]
    public async Task A_grpc_call_streams_both_ways_at_once_and_ends_in_trailers()
    {
        var seen = ("", "");
        await using var server = await StartAsync(ReplicaProtocols.Grpc, async context =>
        {
            seen = (context.Request.Headers.TE.ToString(), context.Request.Headers["grpc-timeout"].ToString());
            context.Response.ContentType = "application/grpc";
            while (await ReadMessageAsync(context.Request.Body) is { } message)
            {
                await context.Response.Body.WriteAsync(Message($"echo {message}"));
                await context.Response.Body.FlushAsync();
            }

            context.Response.AppendTrailer("grpc-status", "0");
            context.Response.AppendTrailer("x-last", "word");
        });
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, ReplicaProtocols.Grpc, server);
        using var upload = new PushContent();
        using var request = GrpcRequest(proxy, upload);
        request.Headers.TryAddWithoutValidation("grpc-timeout", "10S");

        // An answer's headers come with its first message: nobody may wait for them before having sent one.
        await upload.SendAsync(Message("one"));
        using var response = await proxy.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        await using var download = await response.Content.ReadAsStreamAsync(Cancellation);
        Assert.Equal("echo one", await ReadMessageAsync(download));
        foreach (var word in new[] { "two", "three" })
        {
            // Each is answered before the next is sent: nothing waits for the end of either side.
            await upload.SendAsync(Message(word));
            Assert.Equal($"echo {word}", await ReadMessageAsync(download));
        }

        Assert.Equal(("trailers", "10S"), seen);
        upload.Complete();
        Assert.Null(await ReadMessageAsync(download));
        Assert.Equal(["0"], response.TrailingHeaders.GetValues("grpc-status"));
        Assert.Equal(["word"], response.TrailingHeaders.GetValues("x-last"));
    }

    [Fact]
    public async Task A_call_that_the_client_gives_up_is_given_up_at_the_replica()
    {
        var (begun, ended) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await StartAsync(ReplicaProtocols.Grpc, async context =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ended.SetResult();
        });
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, ReplicaProtocols.Grpc, server);
        using var deadline = new CancellationTokenSource();
        using var request = GrpcRequest(proxy, new ByteArrayContent(Message("x")));
        var asking = proxy.Client.SendAsync(request, deadline.Token);
        await begun.Task.WaitAsync(Cancellation);

        await deadline.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancellation);
        await Eventually.True(() => Task.FromResult(proxy.Routes.RequestsInFlight == 0));
    }

    [Theory]
    [InlineData("0", "2xx")]
    [InlineData("5", "4xx")]
    [InlineData("13", "5xx")]
    [InlineData("14", "5xx")]
    public async Task The_status_of_grpc_is_what_counts(string status, string counted)
    {
        await using var server = await StartAsync(ReplicaProtocols.Grpc, async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.StartAsync();
            await context.Response.Body.WriteAsync(Message("x"));
            context.Response.AppendTrailer("grpc-status", status);
        });
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, ReplicaProtocols.Grpc, server);
        using var request = GrpcRequest(proxy, new ByteArrayContent(Message("x")));
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal([status], response.TrailingHeaders.GetValues("grpc-status"));
        var code = (counted[0] - '0') * 100;
        await Eventually.True(() => Task.FromResult(proxy.App.Metrics.Requests(code).Value == 1));
    }

    [Fact]
    public async Task The_proxys_own_answer_to_grpc_is_one_that_its_clients_understand()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.ServeRoutes(new AppRoute(new(proxy.Namespace, "web"), new Route { Protocol = ReplicaProtocols.Grpc }, [new RouteClaim(null, null, "/")], []));
        using var request = GrpcRequest(proxy, new ByteArrayContent(Message("x")));
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["14"], response.Headers.GetValues("grpc-status"));
        Assert.Equal([$"NoReadyReplica: no replica of app {proxy.Namespace}/web is ready"], response.Headers.GetValues("grpc-message"));
        Assert.Equal(1, proxy.App.Metrics.Requests(StatusCodes.Status503ServiceUnavailable).Value);
    }

    [Fact]
    public async Task A_call_is_tried_again_where_no_connection_came_about_and_nowhere_else()
    {
        await using var server = await StartAsync(ReplicaProtocols.H2c, async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            await context.Response.WriteAsync("web");
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.ServeRoutes(new AppRoute(
            new(proxy.Namespace, "web"),
            new Route { Protocol = ReplicaProtocols.H2c, Balancing = BalancingPolicies.RoundRobin },
            [new RouteClaim(null, null, "/")],
            [TestProxy.Refusing(), server.Id]));

        for (var i = 0; i < 4; i++)
        {
            using var request = Request(proxy, "", HttpMethod.Post, HttpVersion.Version20);
            request.Content = new ByteArrayContent(new byte[1000]);
            using var response = await proxy.Client.SendAsync(request, Cancellation);
            Assert.Equal("web", await response.Content.ReadAsStringAsync(Cancellation));
        }
    }

    [Fact]
    public async Task A_replica_that_dies_at_a_call_gets_it_once()
    {
        var calls = 0;
        await using var server = await StartAsync(ReplicaProtocols.Grpc, context =>
        {
            Interlocked.Increment(ref calls);
            context.Abort();
            return Task.CompletedTask;
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.ServeRoutes(new AppRoute(
            new(proxy.Namespace, "web"), new Route { Protocol = ReplicaProtocols.Grpc }, [new RouteClaim(null, null, "/")], [server.Id, server.Id with { Uid = "same" }]));
        using var request = GrpcRequest(proxy, new ByteArrayContent(Message("x")));
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal(["14"], response.Headers.GetValues("grpc-status"));
        Assert.Equal(1, calls);
    }

    [Fact]
    public async Task A_replica_that_speaks_no_http2_is_told_of()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, ReplicaProtocols.H2c, server);

        using var request = Request(proxy, "", HttpMethod.Get, HttpVersion.Version11);
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
    }

    [Fact]
    public async Task A_large_download_by_http2_waits_for_a_slow_client_instead_of_filling_memory()
    {
        var sent = 0L;
        await using var server = await StartAsync(ReplicaProtocols.H2c, async context =>
        {
            var chunk = new byte[64 * 1024];
            for (var i = 0; i < 1600; i++)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
                Interlocked.Add(ref sent, chunk.Length);
            }
        });
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, ReplicaProtocols.H2c, server);
        using var request = Request(proxy, "", HttpMethod.Get, HttpVersion.Version20);
        using var response = await proxy.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        await using var body = await response.Content.ReadAsStreamAsync(Cancellation);
        var before = -1L;
        var stands = await Eventually.See(
            () =>
            {
                var (last, now) = (before, Interlocked.Read(ref sent));
                before = now;
                return Task.FromResult((now, IsSame: now == last && now > 0));
            },
            seen => seen.IsSame);

        // Windows and buffers of three connections, of which none is above some megabytes; the whole is a hundred.
        Assert.InRange(stands.now, 1, 60_000_000);
        var read = 0L;
        var buffer = new byte[256 * 1024];
        while (await body.ReadAsync(buffer, Cancellation) is > 0 and var count)
        {
            read += count;
        }

        Assert.Equal(1600L * 64 * 1024, read);
    }

    [Fact]
    public async Task Expect_100_continue_waits_for_the_replica_on_http2()
    {
        await using var server = await StartAsync(ReplicaProtocols.H2c, context =>
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return Task.CompletedTask;
        });
        await using var proxy = await TestProxy.StartAsync();
        Serve(proxy, ReplicaProtocols.H2c, server);
        var answer = await RawClient.SendAsync(
            proxy.Url, "PUT / HTTP/1.1\r\nHost: shop.example.org\r\nContent-Length: 100000000\r\nExpect: 100-continue\r\n\r\n", Cancellation);

        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
    }

    private static Task<ReplicaServer> StartAsync(string? protocol, RequestDelegate handler) => ReplicaServer.StartAsync(
        "web", handler, protocols: protocol is null ? HttpProtocols.Http1 : HttpProtocols.Http2);

    private static void Serve(TestProxy proxy, string? protocol, ReplicaServer server) =>
        proxy.ServeRoutes(new AppRoute(new(proxy.Namespace, "web"), new Route { Protocol = protocol }, [new RouteClaim(null, null, "/")], [server.Id]));

    private static HttpRequestMessage Request(TestProxy proxy, string path, HttpMethod method, Version version) =>
        new(method, new Uri(proxy.Url + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }))
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

    private static HttpRequestMessage GrpcRequest(TestProxy proxy, HttpContent content)
    {
        var request = Request(proxy, "package.Service/Method", HttpMethod.Post, HttpVersion.Version20);
        request.Content = content;
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.TE.Add(new("trailers"));
        return request;
    }

    /// <summary>A message as gRPC frames it: not compressed, its length in four bytes.</summary>
    private static byte[] Message(string text)
    {
        var frame = new byte[5 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), text.Length);
        Encoding.ASCII.GetBytes(text, frame.AsSpan(5));
        return frame;
    }

    /// <returns>Null at the end.</returns>
    private static async Task<string?> ReadMessageAsync(Stream stream)
    {
        var head = new byte[5];
        if (await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, Cancellation) < head.Length)
        {
            return null;
        }

        var text = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        await stream.ReadExactlyAsync(text, Cancellation);
        return Encoding.ASCII.GetString(text);
    }

    /// <summary>A body that the test sends bit by bit.</summary>
    private sealed class PushContent : HttpContent
    {
        private readonly Channel<byte[]> _parts = Channel.CreateUnbounded<byte[]>();

        public ValueTask SendAsync(byte[] part) => _parts.Writer.WriteAsync(part, Cancellation);

        public void Complete() => _parts.Writer.Complete();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            await foreach (var part in _parts.Reader.ReadAllAsync())
            {
                await stream.WriteAsync(part);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
