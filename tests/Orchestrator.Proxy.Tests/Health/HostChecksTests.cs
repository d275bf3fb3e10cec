using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Proxy.Health;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;

namespace Orchestrator.Proxy.Tests.Health;

public sealed class HostChecksTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_wait_for_a_host_that_went_silent_are_answered_by_another()
    {
        await using var silent = new SilentServer("silent");
        await using var alive = await ReplicaServer.StartAsync("alive");
        await using var proxy = await TestProxy.StartAsync();
        using var stop = new CancellationTokenSource();
        var checking = Checks(proxy, TimeProvider.System).RunAsync(stop.Token);
        proxy.Serve(silent.Id);
        var get = proxy.Client.GetStringAsync("/", Cancellation);
        await Eventually.True(() => silent.Requests == 1);

        await silent.GoSilentAsync();
        proxy.Serve(silent.Id, alive.Id);
        while (!get.IsCompleted)
        {
            // What goes to the other host shows that the fault is not ours.
            Assert.Equal("alive", await proxy.Client.GetStringAsync("/", Cancellation));
        }

        Assert.Equal("alive", await get);
        Assert.True(proxy.App.Endpoints[0].IsSuspect);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => checking);
    }

    [Fact]
    public async Task A_download_that_has_begun_and_a_form_outlast_a_short_silence_and_are_ended_by_a_long_one()
    {
        var (begun, goOn, time) = (new SemaphoreSlim(0), new TaskCompletionSource(), new FakeTimeProvider());
        await using var server = await ReplicaServer.StartAsync("server", async context =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
            {
                await context.Response.WriteAsync("half ", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }

            var mayGoOn = goOn.Task;
            begun.Release();
            await mayGoOn.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("whole", context.RequestAborted);
        });
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve(server.Id);
        var host = Assert.Single(proxy.Routes.Hosts);

        var (download, form) = await AskAsync();
        host.GiveUp();
        time.Advance(ReplicaHost.Patience / 2);
        host.Hear();
        time.Advance(ReplicaHost.Patience);
        goOn.SetResult();
        Assert.Equal("half whole", await download.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal("whole", await (await form).Content.ReadAsStringAsync(Cancellation));

        (download, form) = await AskAsync();
        host.GiveUp();
        time.Advance(ReplicaHost.Patience / 2);
        host.GiveUp();
        time.Advance(ReplicaHost.Patience / 2);
        Assert.Equal(HttpStatusCode.BadGateway, (await form).StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => download.Content.ReadAsStringAsync(Cancellation));

        // Later ones are nobody's worse for it.
        (download, form) = await AskAsync();
        goOn.SetResult();
        Assert.Equal("half whole", await download.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(HttpStatusCode.OK, (await form).StatusCode);

        async Task<(HttpResponseMessage, Task<HttpResponseMessage>)> AskAsync()
        {
            goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var form = proxy.Client.PostAsync("/", new StringContent("once"), Cancellation);
            var download = await proxy.Client.GetAsync("/", HttpCompletionOption.ResponseHeadersRead, Cancellation);
            await begun.WaitAsync(Cancellation);
            await begun.WaitAsync(Cancellation);
            return (download, form);
        }
    }

    [Fact]
    public async Task Two_connections_in_a_row_without_an_answer_are_silence_one_is_not()
    {
        await using var world = await World.StartAsync();
        world.HearOther();

        await world.MissAsync();
        Assert.False(world.IsGivenUp);
        world.Host.Hear();
        await world.MissAsync();
        Assert.False(world.IsGivenUp);

        world.HearOther();
        await world.MissAsync();
        Assert.True(world.IsGivenUp);
        Assert.False(world.Host.Soon.IsCancellationRequested);
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
        var time = new FakeTimeProvider();
        await using var proxy = await TestProxy.StartAsync(clockOfRoutes: time);
        proxy.Serve([.. Enumerable.Range(1, 6).Select(i => new EndpointId($"uid-{i}", $"10.0.0.{i}", 80))]);
        var hosts = proxy.Routes.Hosts;
        var checks = Checks(proxy, time);
        Assert.Empty(checks.ToBeAsked(hosts));

        hosts[2].Use();
        Assert.Equal([hosts[2]], checks.ToBeAsked(hosts));
        hosts[2].Hear();
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
        new(proxy.Routes, proxy.Suspects, NullLogger<HostChecks>.Instance, time);

    /// <summary>A silent host beside another one, and a clock that stands still.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TestProxy _proxy;
        private readonly SilentServer _silent;
        private readonly HostChecks _checks;
        private readonly CancellationToken _waiting;

        private World(TestProxy proxy, SilentServer silent, FakeTimeProvider time)
        {
            (_proxy, _silent, Time) = (proxy, silent, time);
            proxy.Serve(silent.Id, TestProxy.Refusing());
            Host = proxy.Routes.Hosts.Single(host => host.Address == silent.Id.Address);
            _checks = Checks(proxy, Time);
            _waiting = Host.Soon;
        }

        public FakeTimeProvider Time { get; }

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
            var time = new FakeTimeProvider();
            return new World(await TestProxy.StartAsync(clockOfRoutes: time), silent, time);
        }

        public void HearOther() => _proxy.Routes.Hosts.Single(host => host != Host).Hear();

        /// <summary>Asks, in vain.</summary>
        public async Task MissAsync()
        {
            var asking = _checks.AskAsync(Host, Cancellation);
            Time.Advance(HostChecks.Timeout);
            await asking;
        }

        public async ValueTask DisposeAsync()
        {
            await _proxy.DisposeAsync();
            await _silent.DisposeAsync();
        }
    }
}
