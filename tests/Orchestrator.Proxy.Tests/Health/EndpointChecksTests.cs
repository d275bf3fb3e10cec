using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Health;

public sealed class EndpointChecksTests
{
    [Fact]
    public async Task While_the_api_is_away_endpoints_that_take_no_connection_are_avoided_and_only_then()
    {
        await using var alive = await ReplicaServer.StartAsync("alive");
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(alive.Id, TestProxy.Refusing());
        var (time, away, asked) = (new FakeTimeProvider(), false, 0);
        var checks = new EndpointChecks(
            proxy.Routes,
            proxy.Suspects,
            () =>
            {
                Interlocked.Increment(ref asked);
                return Volatile.Read(ref away);
            },
            NullLogger<EndpointChecks>.Instance,
            time);
        using var stop = new CancellationTokenSource();
        var running = checks.RunAsync(stop.Token);

        await TickAsync();
        await TickAsync();
        Assert.DoesNotContain(proxy.App.Endpoints, endpoint => endpoint.IsSuspect);

        Volatile.Write(ref away, true);
        await TickAsync();
        await Eventually.True(() => proxy.App.Endpoints[1].IsSuspect);
        Assert.False(proxy.App.Endpoints[0].IsSuspect);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        async Task TickAsync()
        {
            var before = Volatile.Read(ref asked);
            time.Advance(EndpointChecks.Period);
            await Eventually.True(() => Volatile.Read(ref asked) > before);
        }
    }
}
