using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Plain;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Plain;

public sealed class KeptConnectionsTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly FakeTimeProvider _time = new();
    private readonly ReplicaHost _host;
    private readonly KeptConnections _connections;

    public KeptConnectionsTests()
    {
        _listener.Start();
        _host = new ReplicaHost("127.0.0.1", _time);
        _connections = new KeptConnections(new("web", "127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port), _host, TimeSpan.FromSeconds(10), _time);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _connections.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task The_one_that_was_used_last_is_used_next()
    {
        var (first, second) = (await _connections.OpenAsync(Cancellation), await _connections.OpenAsync(Cancellation));
        Assert.Null(_connections.Take());
        _connections.Keep(first);
        _connections.Keep(second);

        Assert.Same(second, _connections.Take());
        Assert.Same(first, _connections.Take());
        Assert.Null(_connections.Take());
    }

    [Fact]
    public async Task It_is_we_who_close_one_that_waits_for_too_long()
    {
        var (connection, replica) = await OpenUsedAsync();
        using var _ = replica;
        _connections.Keep(connection);

        _time.Advance(ReplicaConnections.IdleTimeout);

        Assert.Equal(0, await replica.GetStream().ReadAsync(new byte[1], Cancellation));
        Assert.Null(_connections.Take());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_its_server_has_closed_or_speaks_on_unasked_is_not_used(bool speaks)
    {
        var (connection, replica) = await OpenUsedAsync();
        using var _ = replica;
        _connections.Keep(connection);

        if (speaks)
        {
            await replica.GetStream().WriteAsync("HTTP/1.1 408 "u8.ToArray(), Cancellation);
        }
        else
        {
            replica.Client.Shutdown(SocketShutdown.Send);
        }

        Assert.Null(_connections.Take());
    }

    [Fact]
    public async Task A_request_on_which_nothing_happens_is_ended()
    {
        var connection = await _connections.OpenAsync(Cancellation);
        connection.IdleLimit = TimeSpan.FromSeconds(10);
        var answer = connection.ReceiveAsync();

        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(GivenUp.Not, connection.GivenUp);
        _time.Advance(TimeSpan.FromSeconds(2));

        await Assert.ThrowsAnyAsync<Exception>(async () => await answer);
        Assert.Equal(GivenUp.Idle, connection.GivenUp);
    }

    [Fact]
    public async Task When_the_host_falls_silent_what_may_be_repeated_is_ended_and_the_rest_later()
    {
        var (repeatable, answered, other) = (await _connections.OpenAsync(Cancellation), await _connections.OpenAsync(Cancellation), await _connections.OpenAsync(Cancellation));
        foreach (var one in new[] { repeatable, answered, other })
        {
            (one.IdleLimit, one.MayRepeat) = (TimeSpan.FromMinutes(10), one != other);
        }

        answered.HasAnswered = true;

        for (var times = 0; times < 2; times++)
        {
            _host.GiveUp();
            Assert.Equal([GivenUp.ByCaller, GivenUp.Not, GivenUp.Not], [repeatable.GivenUp, answered.GivenUp, other.GivenUp]);
        }

        _time.Advance(ReplicaHost.Patience);
        Assert.Equal([GivenUp.ByCaller, GivenUp.ByCaller], [answered.GivenUp, other.GivenUp]);
    }

    [Fact]
    public async Task Once_they_are_closed_none_is_kept()
    {
        var (connection, replica) = await OpenUsedAsync();
        using var _ = replica;

        _connections.Dispose();
        Assert.Equal(GivenUp.Not, connection.GivenUp);
        _connections.Keep(connection);

        Assert.Equal(0, await replica.GetStream().ReadAsync(new byte[1], Cancellation));
    }

    /// <summary>Something was answered on it.</summary>
    private async Task<(ReplicaConnection Connection, TcpClient Replica)> OpenUsedAsync()
    {
        var connection = await _connections.OpenAsync(Cancellation);
        var replica = await _listener.AcceptTcpClientAsync(Cancellation);
        await replica.GetStream().WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), Cancellation);
        connection.Received(await connection.ReceiveAsync());
        return (connection, replica);
    }
}
