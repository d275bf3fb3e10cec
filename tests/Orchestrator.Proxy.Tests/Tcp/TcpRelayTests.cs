using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Tcp;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Tcp;

/// <summary>What becomes of the bytes, and of either side's end.</summary>
public sealed class TcpRelayTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_go_both_ways_and_the_server_may_have_the_first_word()
    {
        await using var replica = new TcpReplica("one");
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(replica.Id);
        using var user = await proxy.ConnectAsync();

        Assert.Equal("one", await user.ReceiveLineAsync());
        await user.SendAsync("\0hello\xFF");
        Assert.Equal("\0hello\xFF", await user.ReceiveAsync(7));
        Assert.Equal(1, proxy.App.Tcp.Open.Value);
        Assert.Equal(1, proxy.App.Endpoints[0].InFlight);
    }

    [Fact]
    public async Task A_client_that_has_said_all_is_still_answered_in_full()
    {
        await using var replica = new TcpReplica("sum", async socket =>
        {
            var (sum, buffer) = (0, new byte[100]);
            for (int read; (read = await socket.ReceiveAsync(buffer)) > 0; sum += read)
            {
                // Answers only once all has come.
            }

            await socket.SendAsync(new byte[sum * 2]);
        });
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(replica.Id);
        using var user = await proxy.ConnectAsync();

        await user.SendAsync(new string('x', 1000));
        user.EndSending();

        Assert.Equal(2000, (await user.ReceiveToEndAsync()).Length);
        await Eventually.True(() => proxy.Ended(TcpEnd.Closed) == 1 && proxy.App.Tcp.Open.Value == 0 && proxy.App.Endpoints[0].InFlight == 0);
        Assert.Equal((1000, 2000), (proxy.App.Tcp.BytesIn.Value, proxy.App.Tcp.BytesOut.Value));
    }

    [Fact]
    public async Task A_replica_that_has_said_all_still_gets_what_the_client_has_to_say()
    {
        var got = new TaskCompletionSource<string>();
        await using var replica = new TcpReplica("first", async socket =>
        {
            await socket.SendAsync("bye"u8.ToArray());
            socket.Shutdown(SocketShutdown.Send);
            using var rest = new TcpUser(socket);
            got.SetResult(await rest.ReceiveToEndAsync());
        });
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(replica.Id);
        using var user = await proxy.ConnectAsync();

        Assert.Equal("bye", await user.ReceiveToEndAsync());
        await user.SendAsync("one more thing");
        user.EndSending();

        Assert.Equal("one more thing", await got.Task);
        await Eventually.True(() => proxy.Ended(TcpEnd.Closed) == 1);
    }

    [Fact]
    public async Task Much_is_passed_on_whole_at_the_pace_of_a_slow_reader_and_nothing_piles_up()
    {
        const int size = 64 * 1024 * 1024;
        var data = new byte[size];
        new Random(7).NextBytes(data);
        var sent = 0;
        await using var replica = new TcpReplica("big", async socket =>
        {
            for (; sent < size; sent += await socket.SendAsync(data.AsMemory(sent, Math.Min(64 * 1024, size - sent))))
            {
                // As fast as it is taken.
            }
        });
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(replica.Id);
        using var user = await proxy.ConnectAsync();

        // Nobody reads: the sender comes to a halt at what the kernel's buffers hold.
        var before = -1;
        await Eventually.True(() => Interlocked.Exchange(ref before, Volatile.Read(ref sent)) is > 0 and var last && last == Volatile.Read(ref sent), TimeSpan.FromSeconds(60));
        Assert.InRange(sent, 1, size / 2);

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[100_000];
        for (int read; (read = await user.Socket.ReceiveAsync(buffer, Cancellation)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
        }

        Assert.Equal(SHA256.HashData(data), hash.GetHashAndReset());
    }

    [Fact]
    public async Task A_replica_that_takes_its_time_gets_all_of_a_large_upload()
    {
        const int size = 32 * 1024 * 1024;
        var (data, goOn, got) = (new byte[size], new TaskCompletionSource(), new TaskCompletionSource<byte[]>());
        new Random(8).NextBytes(data);
        await using var replica = new TcpReplica("slow", async socket =>
        {
            await goOn.Task;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[100_000];
            for (int read; (read = await socket.ReceiveAsync(buffer)) > 0;)
            {
                hash.AppendData(buffer, 0, read);
            }

            got.SetResult(hash.GetHashAndReset());
        });
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(replica.Id);
        using var user = await proxy.ConnectAsync();

        var sending = Task.Run(async () =>
        {
            for (var sent = 0; sent < size; sent += await user.Socket.SendAsync(data.AsMemory(sent, Math.Min(256 * 1024, size - sent)), Cancellation))
            {
                // As fast as it is taken.
            }

            user.EndSending();
        });
        await Eventually.True(() => proxy.App.Tcp.BytesIn.Value > 0);
        Assert.False(sending.IsCompleted);
        goOn.SetResult();

        await sending;
        Assert.Equal(SHA256.HashData(data), await got.Task);
    }

    [Fact]
    public async Task What_breaks_on_one_side_is_broken_on_the_other()
    {
        var broken = new TaskCompletionSource<SocketError>();
        await using var replica = new TcpReplica("one", async socket =>
        {
            await socket.SendAsync("hi\n"u8.ToArray());
            var order = new byte[1];
            try
            {
                await socket.ReceiveAsync(order);
                if (order[0] == 'r')
                {
                    socket.Close(timeout: 0);
                    return;
                }

                await socket.ReceiveAsync(order);
            }
            catch (SocketException failure)
            {
                broken.SetResult(failure.SocketErrorCode);
            }
        });
        await using var proxy = await TcpProxy.StartAsync();
        await proxy.ServeAsync(replica.Id);

        using (var user = await proxy.ConnectAsync())
        {
            await user.ReceiveLineAsync();
            await user.SendAsync("r");
            await user.IsResetAsync();
        }

        var other = await proxy.ConnectAsync();
        await other.ReceiveLineAsync();
        await other.SendAsync("x");
        other.Reset();

        Assert.Equal(SocketError.ConnectionReset, await broken.Task);
        await Eventually.True(() => proxy.Ended(TcpEnd.ReplicaReset) == 1 && proxy.Ended(TcpEnd.ClientReset) == 1 && proxy.App.Tcp.Open.Value == 0);
    }

    [Fact]
    public async Task A_connection_on_which_nothing_moves_is_ended_and_one_that_moves_is_not()
    {
        await using var replica = new TcpReplica("one");
        FakeTimeProvider clock = new();
        await using var proxy = await TcpProxy.StartAsync(clockOfRoutes: clock);
        await proxy.ServeAsync(new Route { Timeouts = new() { IdleSeconds = 60 } }, replica.Id);
        using var user = await proxy.ConnectAsync();
        await user.ReceiveLineAsync();

        for (var i = 0; i < 3; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(40));
            await user.SendAsync("x");
            Assert.Equal("x", await user.ReceiveAsync(1));
        }

        // By whichever of the looks is the one: the last byte has just been told to the other side.
        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(61));
            return proxy.Ended(TcpEnd.Idle) == 1;
        });
        await user.IsResetAsync();
        await Eventually.True(() => replica.OpenConnections == 0);
    }

    [Fact]
    public async Task A_host_that_falls_silent_takes_its_connections_with_it_but_not_for_a_moment_of_silence()
    {
        await using var replica = new TcpReplica("one");
        FakeTimeProvider clock = new();
        await using var proxy = await TcpProxy.StartAsync(clockOfRoutes: clock);
        await proxy.ServeAsync(replica.Id);
        using var user = await proxy.ConnectAsync();
        await user.ReceiveLineAsync();
        var host = Assert.Single(proxy.Proxy.Routes.Hosts);

        host.GiveUp();
        await user.SendAsync("still there?");
        Assert.Equal("still there?", await user.ReceiveAsync(12));

        host.GiveUp();
        clock.Advance(Orchestrator.Proxy.Routing.ReplicaHost.Patience);
        await user.IsResetAsync();
        await Eventually.True(() => proxy.Ended(TcpEnd.HostSilent) == 1);
    }
}
