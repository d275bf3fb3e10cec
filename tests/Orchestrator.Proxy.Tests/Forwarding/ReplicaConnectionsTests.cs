using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Forwarding;

public sealed class ReplicaConnectionsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1.5);
    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_that_takes_its_time_and_no_more_has_timed_out()
    {
        using var full = new FullBacklog();
        var connecting = Connect(full);

        _time.Advance(Timeout);

        Assert.Equal(SocketError.TimedOut, (await Assert.ThrowsAsync<SocketException>(() => connecting)).SocketErrorCode);
    }

    [Fact]
    public async Task A_process_that_slept_takes_no_time_out_of_its_own_for_silence()
    {
        using var full = new FullBacklog();
        var connecting = Connect(full);

        _time.Advance(TimeSpan.FromSeconds(10));
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var lettingIn = full.LetInAsync(ended.Token);

        using var socket = await connecting;
        Assert.True(socket.Connected);
        await ended.CancelAsync();
        await lettingIn;
    }

    [Fact]
    public async Task After_its_sleep_it_waits_as_long_as_ever_and_no_longer()
    {
        using var full = new FullBacklog();
        var connecting = Connect(full);

        _time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.True(() =>
        {
            _time.Advance(Timeout);
            return connecting.IsCompleted;
        });

        Assert.Equal(SocketError.TimedOut, (await Assert.ThrowsAsync<SocketException>(() => connecting)).SocketErrorCode);
    }

    private Task<Socket> Connect(FullBacklog to) =>
        ReplicaConnections.ConnectAsync(new DnsEndPoint(to.Id.Address, to.Id.Port), Timeout, _time, Cancellation);
}
