using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hooks;
using Orchestrator.HostAgent.Probing;
using Orchestrator.HostAgent.Tests.Containers;
using Orchestrator.HostAgent.Tests.Probing;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Hooks;

public sealed class LifecycleHooksTests : IDisposable
{
    private readonly RecordedEvents _events = new();
    private readonly SettableTime _time = new();
    private readonly ProbeScheduler _scheduler = new(TimeProvider.System);
    private readonly HttpProber _http;

    public LifecycleHooksTests() => _http = new HttpProber(_scheduler);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _scheduler.Dispose();
    }

    public static TheoryData<string, Func<Task<long?>>, string?> Execs { get; } = new()
    {
        { "ends well", () => Task.FromResult<long?>(0), null },
        { "ends badly", () => Task.FromResult<long?>(3), "quit ended with exit code 3" },
        { "does not end", () => Task.FromResult<long?>(null), "quit did not end within 30 s" },
        { "is not there", () => throw new EngineException(EngineFailure.Failed, "executable file not found"), "executable file not found" },
        { "cannot be reached", () => throw new EngineException(EngineFailure.Unreachable, "connection lost"), "connection lost" },
    };

    [Theory]
    [MemberData(nameof(Execs))]
    public async Task A_preStop_exec_that_fails_is_told_of_and_is_no_reason_not_to_stop(string when, Func<Task<long?>> exec, string? why)
    {
        using var engine = new SimulatedEngine { OnExec = _ => exec() };
        var replica = Replica(preStop: Exec("quit"));

        var left = await Hooks(_time).PreStopAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled);

        Assert.True(left == TimeSpan.FromSeconds(30), when);
        Assert.Equal(why is null ? [] : ["FailedPreStopHook"], _events.ReasonsOf(replica));
        Assert.Equal(why is null ? "" : $"preStop hook failed: {why}", _events.AllText);
    }

    [Theory]
    [InlineData(10, 20)]
    [InlineData(28, 2)]
    [InlineData(30, 2)]
    public async Task The_hooks_time_is_taken_from_the_grace_period_but_for_the_last_two_seconds(int took, int left)
    {
        using var engine = new SimulatedEngine
        {
            OnExec = _ =>
            {
                _time.Advance(TimeSpan.FromSeconds(took));
                return Task.FromResult<long?>(0);
            },
        };

        Assert.Equal(TimeSpan.FromSeconds(left), await Hooks(_time).PreStopAsync(engine, Replica(preStop: Exec("quit")), Host(), SimulatedEngine.Id, Cancelled));
    }

    [Fact]
    public async Task Without_a_grace_period_no_preStop_hook_is_run()
    {
        using var engine = new SimulatedEngine();
        var replica = Replica(preStop: Exec("quit"));
        replica.Spec.Template.TerminationGracePeriodSeconds = 0;

        Assert.Equal(TimeSpan.Zero, await Hooks(_time).PreStopAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled));
        Assert.Empty(engine.Calls);
    }

    [Fact]
    public async Task A_sleep_waits_and_no_longer_than_the_grace_period()
    {
        using var engine = new SimulatedEngine();
        var (five, fifty) = (Sleep(5), Sleep(50));
        var first = Hooks(_time).PreStopAsync(engine, Replica(preStop: five), Host(), SimulatedEngine.Id, Cancelled);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(first.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(TimeSpan.FromSeconds(25), await first);

        var second = Hooks(_time).PreStopAsync(engine, Replica(preStop: fifty), Host(), SimulatedEngine.Id, Cancelled);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.FromSeconds(2), await second);
    }

    [Theory]
    [InlineData("204 No Content", null)]
    [InlineData("302 Found", null)]
    [InlineData("500 Internal Server Error", "GET /bye was answered with statuscode: 500")]
    public async Task A_GET_goes_to_the_published_port_and_by_the_status(string status, string? why)
    {
        var request = new TaskCompletionSource<string>();
        await using var server = new LoopbackServer(async stream =>
        {
            request.SetResult(await LoopbackServer.ReadRequestAsync(stream));
            await LoopbackServer.AnswerAsync(stream, status);
        });
        using var engine = new SimulatedEngine();
        var replica = Replica(preStop: Get("/bye"), port: server.Port);

        await Hooks(TimeProvider.System).PreStopAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled);

        Assert.StartsWith("GET /bye HTTP/1.1\r\n", await request.Task, StringComparison.Ordinal);
        Assert.Equal(why is null ? "" : $"preStop hook failed: {why}", _events.AllText);
    }

    [Fact]
    public async Task A_GET_after_the_start_comes_as_soon_as_it_is_answered_and_once()
    {
        var connections = 0;
        await using var server = new LoopbackServer(async stream =>
        {
            // The first is closed unanswered, as docker-proxy closes it while nothing listens in the container.
            if (Interlocked.Increment(ref connections) > 1)
            {
                await LoopbackServer.ReadRequestAsync(stream);
                await LoopbackServer.AnswerAsync(stream, "503 Service Unavailable");
            }
        });
        using var engine = new SimulatedEngine();
        var replica = Replica(postStart: Get("/warm-up"), port: server.Port);

        var why = await Hooks(TimeProvider.System).PostStartAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled);

        Assert.Equal("GET /warm-up was answered with statuscode: 503", why);
        Assert.Equal(2, connections);
        Assert.Equal(["FailedPostStartHook"], _events.ReasonsOf(replica));
    }

    [Fact]
    public async Task A_GET_that_nobody_answers_has_failed_though_the_pause_between_two_tries_lasts_past_the_end()
    {
        using var engine = new SimulatedEngine();
        var replica = Replica(postStart: Get("/warm-up"), port: FreePort.Next());

        var why = await Hooks(new LateTime()).PostStartAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled);

        Assert.StartsWith("GET /warm-up from 127.0.0.1:", why, StringComparison.Ordinal);
        Assert.Equal(["FailedPostStartHook"], _events.ReasonsOf(replica));
    }

    [Fact]
    public async Task A_postStart_whose_engine_is_lost_is_neither_well_nor_failed()
    {
        using var engine = new SimulatedEngine { OnExec = _ => throw new EngineException(EngineFailure.Unreachable, "connection lost") };
        var replica = Replica(postStart: Exec("warm-up"));

        await Assert.ThrowsAsync<EngineException>(() => Hooks(_time).PostStartAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled));
        Assert.Empty(_events.ReasonsOf(replica));
    }

    [Fact]
    public async Task A_postStart_hook_that_fails_says_why()
    {
        using var engine = new SimulatedEngine { OnExec = _ => Task.FromResult<long?>(3) };
        var replica = Replica(postStart: Exec("warm-up"));

        Assert.Equal("warm-up ended with exit code 3", await Hooks(_time).PostStartAsync(engine, replica, Host(), SimulatedEngine.Id, Cancelled));
        Assert.Equal("postStart hook failed: warm-up ended with exit code 3", _events.AllText);
    }

    private static V1LifecycleHandler Exec(string command) => new() { Exec = new V1ExecAction { Command = [command] } };

    private static V1LifecycleHandler Sleep(int seconds) => new() { Sleep = new V1SleepAction { Seconds = seconds } };

    private static V1LifecycleHandler Get(string path) => new() { HttpGet = new V1HTTPGetAction { Path = path } };

    private static Replica Replica(V1LifecycleHandler? preStop = null, V1LifecycleHandler? postStart = null, int port = 20000) => new()
    {
        Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = "uid" },
        Spec = new ReplicaSpec
        {
            AppName = "web",
            HostName = "h1",
            HostPort = port,
            Template = new ReplicaTemplate { Image = "web:v1", Lifecycle = new V1Lifecycle { PreStop = preStop, PostStart = postStart } },
        },
    };

    private static DockerHost Host() => new() { Metadata = new V1ObjectMeta { Name = "h1" }, Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:2376" } };

    private LifecycleHooks Hooks(TimeProvider time) => new(_http, _events, time);

    /// <summary>A busy machine's: what is to wait for a moment waits for a minute.</summary>
    private sealed class LateTime : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Advance(TimeSpan.FromMinutes(1));
            return timer;
        }
    }
}
