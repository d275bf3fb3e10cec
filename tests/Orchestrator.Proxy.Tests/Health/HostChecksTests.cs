using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Health;

public sealed class HostChecksTests
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1.5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_wait_for_a_host_that_went_silent_are_answered_by_another_or_told_so()
    {
        await using var silent = new SilentServer("silent");
        await using var alive = await ReplicaServer.StartAsync("alive");
        await using var proxy = await TestProxy.StartAsync();
        using var stop = new CancellationTokenSource();
        var checking = Checks(proxy, TimeProvider.System).RunAsync(stop.Token);
        proxy.Serve(silent.Id);
        var get = proxy.Client.GetStringAsync("/", Cancellation);
        await Eventually.True(() => silent.Requests == 1);
        var post = proxy.Client.PostAsync("/", new StringContent("once"), Cancellation);
        await Eventually.True(() => silent.Requests == 2);

        await silent.GoSilentAsync();
        proxy.Serve(silent.Id, alive.Id);
        while (!get.IsCompleted)
        {
            // What goes to the other host shows that the fault is not ours.
            Assert.Equal("alive", await proxy.Client.GetStringAsync("/", Cancellation));
        }

        Assert.Equal("alive", await get);
        Assert.True(proxy.App.Endpoints[0].IsSuspect);
        var gets = alive.Requests;
        using var answer = await post;
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Equal(gets, alive.Requests);

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => checking);
    }

    [Fact]
    public async Task Two_connections_in_a_row_without_an_answer_are_silence_one_is_not()
    {
        await using var world = await World.StartAsync();
        world.HearOther();

        await world.MissAsync();
        Assert.False(world.IsGivenUp);
        world.Host.Hear(world.Time.GetTimestamp());
        await world.MissAsync();
        Assert.False(world.IsGivenUp);

        world.HearOther();
        await world.MissAsync();
        Assert.True(world.IsGivenUp);
        Assert.False(world.Host.Use(1, mayRepeat: true).IsCancellationRequested);
    }

    [Fact]
    public async Task When_no_other_host_answers_either_the_fault_may_be_ours()
    {
        await using var world = await World.StartAsync();

        await world.MissAsync();
        await world.MissAsync();
        await world.MissAsync();
        Assert.False(world.IsGivenUp);

        world.HearOther();
        await world.MissAsync();
        Assert.True(world.IsGivenUp);
    }

    [Fact]
    public async Task A_process_that_slept_takes_no_time_out_for_silence()
    {
        await using var world = await World.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await world.MissAsync(TimeSpan.FromSeconds(30));
            world.HearOther();
        }

        Assert.False(world.IsGivenUp);
    }

    [Fact]
    public async Task A_refused_connection_is_a_sign_of_life()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(TestProxy.Refusing());
        var host = Assert.Single(proxy.Routes.Hosts);
        host.Miss();

        await Checks(proxy, TimeProvider.System).AskAsync(host, Cancellation);

        Assert.NotEqual(0, host.HeardAt);
        Assert.Equal(1, host.Miss());
        Assert.False(proxy.App.Endpoints[0].IsSuspect);
    }

    [Fact]
    public async Task Hosts_in_use_are_asked_and_when_one_is_missed_some_others_too()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve([.. Enumerable.Range(1, 6).Select(i => new EndpointId($"uid-{i}", $"10.0.0.{i}", 80))]);
        var (time, hosts) = (new FakeTimeProvider(), proxy.Routes.Hosts);
        var checks = Checks(proxy, time);
        Assert.Empty(checks.ToBeAsked(hosts));

        hosts[2].Use(time.GetTimestamp(), mayRepeat: true);
        Assert.Equal([hosts[2]], checks.ToBeAsked(hosts));
        hosts[2].Hear(time.GetTimestamp());
        Assert.Empty(checks.ToBeAsked(hosts));

        time.Advance(HostChecks.Period);
        hosts[2].Miss();
        var asked = checks.ToBeAsked(hosts);
        Assert.Equal(hosts[2], asked[0]);
        Assert.Equal(4, asked.Distinct().Count());

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(checks.ToBeAsked(hosts));
        Assert.True(proxy.App.Endpoints[4].TryEnter());
        Assert.Equal([hosts[4]], checks.ToBeAsked(hosts));
        proxy.App.Endpoints[4].Leave();
    }

    private static HostChecks Checks(TestProxy proxy, TimeProvider time) =>
        new(proxy.Routes, proxy.Suspects, ConnectTimeout, NullLogger<HostChecks>.Instance, time);

    /// <summary>A silent host beside another one, and a clock that stands still.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TestProxy _proxy;
        private readonly SilentServer _silent;
        private readonly HostChecks _checks;
        private readonly CancellationToken _waiting;

        private World(TestProxy proxy, SilentServer silent)
        {
            (_proxy, _silent) = (proxy, silent);
            proxy.Serve(silent.Id, TestProxy.Refusing());
            Host = proxy.Routes.Hosts.Single(host => host.Address == silent.Id.Address);
            _checks = Checks(proxy, Time);
            _waiting = Host.Use(Time.GetTimestamp(), mayRepeat: true);
        }

        public FakeTimeProvider Time { get; } = new();

        public ReplicaHost Host { get; }

        public bool IsGivenUp
        {
            get
            {
                Assert.Equal(_waiting.IsCancellationRequested, _proxy.App.Endpoints[0].IsSuspect);
                return _waiting.IsCancellationRequested;
            }
        }

        public static async Task<World> StartAsync()
        {
            var silent = new SilentServer("silent");
            await silent.GoSilentAsync();
            return new World(await TestProxy.StartAsync(), silent);
        }

        public void HearOther() => _proxy.Routes.Hosts.Single(host => host != Host).Hear(Time.GetTimestamp());

        /// <summary>Asks, in vain.</summary>
        public async Task MissAsync(TimeSpan? took = null)
        {
            var asking = _checks.AskAsync(Host, Cancellation);
            Time.Advance(took ?? HostChecks.Timeout);
            await asking;
        }

        public async ValueTask DisposeAsync()
        {
            await _proxy.DisposeAsync();
            await _silent.DisposeAsync();
        }
    }
}
