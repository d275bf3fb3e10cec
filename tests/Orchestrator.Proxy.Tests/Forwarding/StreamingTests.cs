using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class StreamingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_websocket_goes_through_both_ways_and_counts_as_in_flight_until_it_ends()
    {
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync("chat");
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            {
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);
        var endpoint = proxy.App.Endpoints[0];

        using var client = new ClientWebSocket();
        client.Options.AddSubProtocol("chat");
        await client.ConnectAsync(new UriBuilder(proxy.Url) { Scheme = "ws" }.Uri, Cancellation);
        Assert.Equal("chat", client.SubProtocol);
        var echoed = new byte[1024];
        for (var i = 0; i < 20; i++)
        {
            var sent = Encoding.UTF8.GetBytes($"message {i}");
            await client.SendAsync(sent, WebSocketMessageType.Text, true, Cancellation);
            var received = await client.ReceiveAsync(echoed, Cancellation);
            Assert.Equal(sent, echoed[..received.Count]);
        }

        Assert.Equal(1, endpoint.InFlight);
        proxy.Serve();
        Assert.False(proxy.Routes.IsDrained("web"));

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", Cancellation);
        await Eventually.True(() => proxy.Routes.IsDrained("web"));
        Assert.Equal(0, proxy.App.Metrics.Duration.Count);
        Assert.Equal(1, proxy.App.Metrics.Requests(101).Value);
    }

    [Fact]
    public async Task Server_sent_events_arrive_as_they_are_sent()
    {
        var next = new SemaphoreSlim(0);
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 3; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await next.WaitAsync(context.RequestAborted);
            }
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var response = await proxy.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        for (var i = 0; i < 3; i++)
        {
            // The next one is only sent once this one has come.
            Assert.Equal($"data: {i}", await reader.ReadLineAsync(Cancellation));
            Assert.Equal("", await reader.ReadLineAsync(Cancellation));
            next.Release();
        }

        Assert.Null(await reader.ReadLineAsync(Cancellation));
    }

    [Fact]
    public async Task A_large_upload_streams_through_bounded_memory()
    {
        const long size = 100 * 1024 * 1024;
        const long looks = 10;
        var peak = 0L;
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            var (buffer, total) = (new byte[64 * 1024], 0L);
            while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
            {
                if (total / (size / looks) != (total += read) / (size / looks))
                {
                    // What is garbage is not counted: how much of that there may be is the collector's choice, by the processor's caches.
                    GC.Collect();
                    peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false));
                }
            }

            await context.Response.WriteAsync(total.ToString(System.Globalization.CultureInfo.InvariantCulture));
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        using var response = await proxy.Client.PutAsync("/", new Zeros(size), Cancellation);

        Assert.Equal(size.ToString(System.Globalization.CultureInfo.InvariantCulture), await response.Content.ReadAsStringAsync(Cancellation));
        Assert.InRange(peak - before, long.MinValue, size / 2);
    }

    [Fact]
    public async Task A_large_download_waits_for_a_slow_client_instead_of_filling_memory()
    {
        var sent = 0L;
        await using var server = await ReplicaServer.StartAsync("web", async context =>
        {
            var buffer = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(buffer, context.RequestAborted);
                Interlocked.Add(ref sent, buffer.Length);
            }
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var response = await proxy.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead, Cancellation);

        // It stands still once the sockets' buffers are full.
        var last = -1L;
        await Eventually.True(
            () =>
            {
                var now = Interlocked.Read(ref sent);
                var still = now > 0 && now == last;
                last = now;
                return still;
            },
            TimeSpan.FromSeconds(20));
        Assert.InRange(Interlocked.Read(ref sent), 1, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task An_answer_comes_through_though_the_replica_did_not_read_the_body()
    {
        await using var server = await ReplicaServer.StartAsync("web", context =>
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return context.Response.WriteAsync("enough");
        });
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var response = await proxy.Client.PostAsync("/", new ByteArrayContent(new byte[1024 * 1024]), Cancellation);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("enough", await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Expect_100_continue_reaches_the_replica_before_the_body_is_sent()
    {
        await using var server = await ReplicaServer.StartAsync("web", context => context.Request.Body.CopyToAsync(context.Response.Body));
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(server.Id);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent("late body") };
        request.Headers.ExpectContinue = true;
        using var response = await proxy.Client.SendAsync(request, Cancellation);

        Assert.Equal("late body", await response.Content.ReadAsStringAsync(Cancellation));
    }

    private sealed class Zeros(long size) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var chunk = new byte[64 * 1024];
            for (var left = size; left > 0; left -= chunk.Length)
            {
                await stream.WriteAsync(chunk.AsMemory(0, (int)Math.Min(left, chunk.Length)), cancellationToken);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = size;
            return true;
        }
    }
}
