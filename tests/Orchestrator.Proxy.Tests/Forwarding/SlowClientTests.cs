using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>Clients that take their time so as to keep what they hold ("slow loris"), and those that have good reasons to.</summary>
public sealed class SlowClientTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Header_fields_that_do_not_end_in_time_are_408_and_the_connection_is_closed()
    {
        await using var proxy = await TestProxy.StartAsync(options => options with { HeadersTimeout = TimeSpan.FromMilliseconds(1) });
        using var client = await RawConnection.OpenAsync(proxy.Url, Cancellation);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nX-Slow", Cancellation);

        // Before the 30 s that it would be by default.
        var answer = await client.ReadToEndAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(25), Cancellation);
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 1000\r\n\r\nfirst")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")]
    public async Task A_body_that_comes_too_slowly_is_408_and_the_connection_is_closed(string beginning)
    {
        var time = new FakeTimeProvider();
        var gone = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            context.RequestAborted.Register(gone.SetResult);
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        });
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(server.Id);
        using var client = await RawConnection.OpenAsync(proxy.Url, Cancellation);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\n" + beginning, Cancellation);
        var answer = client.ReadToEndAsync(Cancellation);
        await Eventually.True(() => server.Requests == 1);
        await PassAsync(time, TimeSpan.FromSeconds(61), () => answer.IsCompleted);

        Assert.StartsWith("HTTP/1.1 408 Request Timeout\r\n", await answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", await answer, StringComparison.Ordinal);
        Assert.EndsWith("408 RequestTooSlow: the request's body came too slowly\n", await answer, StringComparison.Ordinal);
        Assert.Equal(1, proxy.App.Metrics.Refused("pace").Value);
        await gone.Task.WaitAsync(Cancellation);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task A_stream_of_http2_that_is_too_slow_ends_alone()
    {
        var time = new FakeTimeProvider();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            await context.Response.WriteAsync("web");
        });
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(server.Id);
        var (slow, other) = (new Pipe(), new Pipe());

        await slow.Writer.WriteAsync("first"u8.ToArray(), Cancellation);
        var asking = SendAsync(proxy, slow, HttpVersion.Version20);
        await Eventually.True(() => server.Requests == 1);
        await PassAsync(time, TimeSpan.FromSeconds(61), () => asking.IsCompleted);
        await other.Writer.CompleteAsync();
        using var refused = await asking;
        using var answer = await SendAsync(proxy, other, HttpVersion.Version20);

        Assert.Equal((HttpStatusCode.RequestTimeout, HttpStatusCode.OK), (refused.StatusCode, answer.StatusCode));
        await slow.Writer.CompleteAsync();
    }

    [Fact]
    public async Task A_long_upload_may_stand_still_now_and_then_for_as_long_as_it_keeps_its_pace()
    {
        var time = new FakeTimeProvider();
        var received = 0;
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            var buffer = new byte[64 * 1024];
            while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
            {
                Interlocked.Add(ref received, read);
            }

            await context.Response.WriteAsync($"{received}");
        });
        await using var proxy = await TestProxy.StartAsync(options => options with { MinBodyRate = 1000 }, clockOfRoutes: time);
        proxy.Serve(server.Id);
        var body = new Pipe();
        var asking = SendAsync(proxy, body);

        // Half an hour, with 60,000 bytes a minute; the last of them may still be on their way.
        for (var i = 0; i < 30; i++)
        {
            await body.Writer.WriteAsync(new byte[60_000], Cancellation);
            await Eventually.True(() => Volatile.Read(ref received) > i * 60_000);
            time.Advance(TimeSpan.FromMinutes(1));
        }

        await body.Writer.CompleteAsync();
        using var answer = await asking;
        Assert.Equal("1800000", await answer.Content.ReadAsStringAsync(Cancellation));
    }

    [Theory]
    [InlineData(ReplicaProtocols.H2c, "text/plain")]
    [InlineData(ReplicaProtocols.Grpc, "application/grpc")]
    public async Task Who_is_answered_already_and_who_calls_by_grpc_may_be_silent(string protocol, string type)
    {
        var time = new FakeTimeProvider();
        var begun = new TaskCompletionSource();
        var isGrpc = protocol == ReplicaProtocols.Grpc;
        await using var server = await ReplicaServer.StartAsync(
            "web",
            async context =>
            {
                begun.SetResult();
                if (!isGrpc)
                {
                    await context.Response.WriteAsync("hello, ");
                    await context.Response.Body.FlushAsync();
                }

                using var reader = new StreamReader(context.Request.Body);
                await context.Response.WriteAsync(await reader.ReadToEndAsync(context.RequestAborted));
            },
            protocols: HttpProtocols.Http2);
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(new Route { Protocol = protocol }, server.Id);
        var body = new Pipe();
        await body.Writer.WriteAsync("w"u8.ToArray(), Cancellation);

        var asking = SendAsync(proxy, body, HttpVersion.Version20, type);
        await begun.Task.WaitAsync(Cancellation);
        if (!isGrpc)
        {
            await asking;
        }

        for (var i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await body.Writer.WriteAsync("o"u8.ToArray(), Cancellation);
        }

        await body.Writer.CompleteAsync();
        using var answer = await asking;
        Assert.Equal((isGrpc ? "w" : "hello, w") + new string('o', 20), await answer.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task A_websocket_may_be_silent()
    {
        var time = new FakeTimeProvider();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[10];
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            await socket.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        });
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(server.Id);
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{proxy.Url.Authority}/"), Cancellation);

        time.Advance(TimeSpan.FromHours(1));
        await client.SendAsync("late"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, Cancellation);

        var buffer = new byte[10];
        Assert.Equal(4, (await client.ReceiveAsync(buffer, Cancellation)).Count);
    }

    [Fact]
    public async Task Without_a_pace_a_body_may_come_as_slowly_as_it_likes()
    {
        var time = new FakeTimeProvider();
        var begun = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            begun.SetResult();
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync(await reader.ReadToEndAsync(context.RequestAborted));
        });
        await using var proxy = await TestProxy.StartAsync(options => options with { MinBodyRate = 0 }, clockOfRoutes: time);
        proxy.Serve(server.Id);
        var body = new Pipe();
        await body.Writer.WriteAsync("first, "u8.ToArray(), Cancellation);
        var asking = SendAsync(proxy, body);
        await begun.Task.WaitAsync(Cancellation);

        for (var i = 0; i < 20; i++)
        {
            time.Advance(TimeSpan.FromHours(1));
            await body.Writer.WriteAsync("o"u8.ToArray(), Cancellation);
        }

        await body.Writer.CompleteAsync();

        using var answer = await asking;
        Assert.Equal("first, " + new string('o', 20), await answer.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task An_answer_that_is_not_taken_is_aborted()
    {
        var gone = new TaskCompletionSource();
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            context.RequestAborted.Register(gone.SetResult);
            var buffer = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(buffer, context.RequestAborted);
            }
        });
        await using var proxy = await TestProxy.StartAsync(options => options with { IdleTimeout = TimeSpan.FromMilliseconds(200) });
        proxy.Serve(server.Id);
        using var client = await RawConnection.OpenAsync(proxy.Url, Cancellation, receiveBuffer: 4096);

        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cancellation);

        await gone.Task.WaitAsync(Cancellation);
        await Eventually.True(() => proxy.App.Metrics.Abandoned.Value == 1 && proxy.App.Endpoints[0].InFlight == 0);
        Assert.DoesNotContain("\r\n0\r\n\r\n", await client.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
    }

    /// <summary>Lets time pass until it has had its effect: what waits may begin to only after we looked.</summary>
    private static Task PassAsync(FakeTimeProvider time, TimeSpan step, Func<bool> until) => Eventually.True(() =>
    {
        time.Advance(step);
        return until();
    });

    private static Task<HttpResponseMessage> SendAsync(TestProxy proxy, Pipe body, Version? version = null, string type = "text/plain") =>
        proxy.Client.SendAsync(
            new HttpRequestMessage(HttpMethod.Post, "/")
            {
                Version = version ?? HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new Trickle(body.Reader) { Headers = { ContentType = new(type) } },
            },
            HttpCompletionOption.ResponseHeadersRead,
            Cancellation);

    /// <summary>Sends what comes when it comes.</summary>
    private sealed class Trickle(PipeReader source) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            ReadResult read;
            do
            {
                read = await source.ReadAsync(cancellationToken);
                await stream.WriteAsync(read.Buffer.ToArray(), cancellationToken);
                await stream.FlushAsync(cancellationToken);
                source.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
