using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Listening;

public sealed class ListenerSetTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_apps_own_port_opens_with_its_route_and_closes_with_it_and_disturbs_no_other()
    {
        await using var server = await ReplicaServer.StartAsync("shared");
        await using var own = await ReplicaServer.StartAsync("own");
        await using var proxy = await TestProxy.StartAsync();
        var port = FreePort.Next();
        proxy.ServeAt((null, server.Id));

        // A connection that lives through all of it.
        using var kept = new TcpClient();
        await kept.ConnectAsync(proxy.Url.Host, proxy.Url.Port, Cancellation);
        await AskAsync(kept);

        proxy.ServeAt((null, server.Id), (port, own.Id));
        using var client = TestProxy.NewClient(new Uri($"http://127.0.0.1:{port}/"));
        await Eventually.True(async () => await client.GetStringAsync("/", Cancellation) == "own");
        await AskAsync(kept);

        proxy.ServeAt((null, server.Id));
        using var anew = TestProxy.NewClient(client.BaseAddress!);
        await Eventually.True(async () => (await Assert.ThrowsAsync<HttpRequestException>(() => anew.GetStringAsync("/", Cancellation)))
            .HttpRequestError == HttpRequestError.ConnectionError);
        await AskAsync(kept);

        proxy.ServeAt((null, server.Id), (port, own.Id));
        await Eventually.True(async () => await client.GetStringAsync("/", Cancellation) == "own");
    }

    [Fact]
    public async Task A_request_in_flight_finishes_though_its_listener_closes()
    {
        var (arrived, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = await ReplicaServer.StartAsync("own", async context =>
        {
            arrived.TrySetResult();
            await answer.Task;
            await context.Response.WriteAsync("finished");
        });
        await using var proxy = await TestProxy.StartAsync();
        var port = FreePort.Next();
        proxy.ServeAt((port, server.Id));
        using var client = TestProxy.NewClient(new Uri($"http://127.0.0.1:{port}/"));
        await Eventually.True(() => proxy.Listeners.OwnPorts.Contains(port));
        var request = client.GetAsync("/", Cancellation);
        await arrived.Task.WaitAsync(Cancellation);

        proxy.ServeAt();
        using var anew = TestProxy.NewClient(client.BaseAddress!);
        await Eventually.True(async () => (await Assert.ThrowsAsync<HttpRequestException>(() => anew.GetStringAsync("/", Cancellation)))
            .HttpRequestError == HttpRequestError.ConnectionError);
        answer.SetResult();

        using var response = await request;
        Assert.Equal("finished", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.True(response.Headers.ConnectionClose);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_and_had_once_it_is_free()
    {
        await using var server = await ReplicaServer.StartAsync("own");
        await using var proxy = await TestProxy.StartAsync();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var free = FreePort.Next();

        proxy.ServeAt((port, server.Id), (free, server.Id));

        await Eventually.True(() => proxy.Listeners.OwnPorts.Contains(free));
        await Eventually.True(() => proxy.Listeners.Failures.ContainsKey(port));
        Assert.Equal("Address already in use", proxy.Listeners.Failures[port]);

        taken.Stop();
        await Eventually.True(() => proxy.Listeners.OwnPorts.Contains(port));
        Assert.Empty(proxy.Listeners.Failures);
    }

    [Fact]
    public async Task A_second_proxy_on_the_same_port_is_an_error_unless_it_is_to_take_over()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        var port = FreePort.Next();
        var first = await TestProxy.StartAsync(options => options with { Port = port });
        first.Serve(server.Id);
        Assert.Equal("web", await first.Client.GetStringAsync("/", Cancellation));

        var refused = await Assert.ThrowsAsync<IOException>(() => TestProxy.StartAsync(options => options with { Port = port }));
        Assert.Equal($"cannot listen on 127.0.0.1:{port}: Address already in use", refused.Message);

        await using var second = await TestProxy.StartAsync(options => options with { Port = port, TakeOver = true });
        second.Serve(server.Id);
        await first.DisposeAsync();
        for (var i = 0; i < 20; i++)
        {
            using var client = TestProxy.NewClient(second.Url);
            Assert.Equal("web", await client.GetStringAsync("/", Cancellation));
        }

        await second.DisposeAsync();
        await using var third = await TestProxy.StartAsync(options => options with { Port = port });
        third.Serve(server.Id);
        Assert.Equal("web", await third.Client.GetStringAsync("/", Cancellation));
    }

    [Fact]
    public async Task A_port_of_a_stranger_is_a_failure_again_once_the_take_over_has_ended()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        var port = FreePort.Next();
        await using var stranger = await TestProxy.StartAsync();
        stranger.ServeAt((port, server.Id));
        await Eventually.True(() => stranger.Listeners.OwnPorts.Contains(port));

        await using var successor = await TestProxy.StartAsync(options => options with { TakeOver = true });
        successor.Listeners.EndTakeOver();
        var free = FreePort.Next();
        successor.ServeAt((port, server.Id), (free, server.Id));

        await Eventually.True(() => successor.Listeners.OwnPorts.Contains(free));
        await Eventually.True(() => successor.Listeners.Failures.ContainsKey(port));
        Assert.DoesNotContain(port, successor.Listeners.OwnPorts);
    }

    [Fact]
    public async Task All_addresses_means_both_families()
    {
        await using var server = await ReplicaServer.StartAsync("web");
        await using var proxy = await TestProxy.StartAsync(options => options with { Address = IPAddress.IPv6Any });
        proxy.Serve(server.Id);

        foreach (var host in new[] { "127.0.0.1", "[::1]" })
        {
            using var client = TestProxy.NewClient(new Uri($"http://{host}:{proxy.Listeners.Address.Port}/"));
            Assert.Equal("web", await client.GetStringAsync("/", Cancellation));
        }
    }

    private static async Task AskAsync(TcpClient connection)
    {
        var stream = connection.GetStream();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), Cancellation);
        var buffer = new byte[4096];
        var text = "";
        while (!text.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, Cancellation);
            Assert.NotEqual(0, read);
            text += System.Text.Encoding.Latin1.GetString(buffer, 0, read);
        }

        Assert.StartsWith("HTTP/1.1 200", text, StringComparison.Ordinal);
        Assert.Contains("shared", text, StringComparison.Ordinal);
    }
}
