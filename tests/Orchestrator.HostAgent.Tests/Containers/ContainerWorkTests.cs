using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hooks;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Containers;

/// <summary>What a step does when something happens in the midst of it.</summary>
public sealed class ContainerWorkTests
{
    /// <summary>
    /// An engine goes on with a create whose caller has hung up (measured on a real one). So a Replica that is deleted in mid-create
    /// must wait for it, or its container appears when nobody knows of it any more.
    /// </summary>
    [Fact]
    public async Task A_create_that_is_cancelled_is_waited_for_and_what_it_made_is_told_of_and_not_started()
    {
        var (began, mayEnd) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var engine = new SimulatedEngine
        {
            OnCreate = async token =>
            {
                began.SetResult();
                await mayEnd.Task.WaitAsync(token);
            },
        };
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = Work();

        var creating = work.CreateAsync(engine, Replica(), Host(), operation);
        await began.Task;
        operation.Cancel();
        Assert.False(creating.IsCompleted);
        mayEnd.SetResult();
        var outcome = await creating;

        Assert.True(outcome.Looked);
        Assert.Equal(SimulatedEngine.Id, outcome.Seen?.Id);
        Assert.Equal(["create", "inspect"], engine.Calls);
    }

    [Fact]
    public async Task A_create_that_is_not_cancelled_is_started()
    {
        using var engine = new SimulatedEngine();
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = Work();

        await work.CreateAsync(engine, Replica(), Host(), operation);

        Assert.Contains("start", engine.Calls);
    }

    [Fact]
    public async Task A_restart_that_is_cancelled_finishes_its_stop_and_does_not_start()
    {
        var (began, mayEnd) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var engine = new SimulatedEngine
        {
            State = ContainerState.Running,
            OnStop = async token =>
            {
                began.SetResult();
                await mayEnd.Task.WaitAsync(token);
            },
        };
        using var operation = new Operation(ContainerStep.Restart, TestContext.Current.CancellationToken);
        using var work = Work();

        var restarting = work.RestartAsync(engine, Replica(), Host(), SimulatedEngine.Id, "its probe failed", startAgain: true, operation);
        await began.Task;
        operation.Cancel();
        Assert.False(restarting.IsCompleted);
        mayEnd.SetResult();
        var outcome = await restarting;

        Assert.Equal((true, ContainerState.Exited), (outcome.Looked, outcome.Seen?.State));
        Assert.Equal(["stop", "inspect"], engine.Calls);
    }

    [Fact]
    public async Task A_restart_that_is_not_cancelled_starts_again()
    {
        using var engine = new SimulatedEngine { State = ContainerState.Running };
        using var operation = new Operation(ContainerStep.Restart, TestContext.Current.CancellationToken);
        using var work = Work();

        await work.RestartAsync(engine, Replica(), Host(), SimulatedEngine.Id, "its probe failed", startAgain: true, operation);

        Assert.Equal(["stop", "start", "inspect"], engine.Calls);
    }

    [Fact]
    public async Task A_name_that_is_taken_by_what_cannot_be_seen_is_a_failure_to_back_off_from()
    {
        using var engine = new SimulatedEngine
        {
            OnCreate = _ => throw new EngineException(EngineFailure.Conflict, "the name is already in use"),
            State = null,
        };
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = Work();

        var outcome = await work.CreateAsync(engine, Replica(), Host(), operation);

        Assert.Equal(("EngineUnavailable", "the name orc-default-web-1 on host h1 is being made or removed"), outcome.Failure);
    }

    [Fact]
    public async Task A_restart_in_a_crash_loop_only_stops_and_leaves_the_start_to_the_back_off()
    {
        using var engine = new SimulatedEngine { State = ContainerState.Running };
        using var operation = new Operation(ContainerStep.Restart, TestContext.Current.CancellationToken);
        using var work = Work();

        var outcome = await work.RestartAsync(engine, Replica(), Host(), SimulatedEngine.Id, "its hook failed", startAgain: false, operation);

        Assert.Equal(ContainerState.Exited, outcome.Seen?.State);
        Assert.Equal(["stop", "inspect"], engine.Calls);
    }

    [Fact]
    public async Task A_stop_for_good_takes_the_policy_runs_the_hook_and_gives_the_stop_what_is_left_of_the_grace()
    {
        var time = new SettableTime();
        using var engine = new SimulatedEngine
        {
            State = ContainerState.Running,
            OnExec = _ =>
            {
                time.Advance(TimeSpan.FromSeconds(12));
                return Task.FromResult<long?>(0);
            },
        };
        using var operation = new Operation(ContainerStep.StopAndRemove, TestContext.Current.CancellationToken);
        using var work = Work(time);

        await work.StopForGoodAsync(engine, Replica(preStop: "quit"), Host(), Snapshots.Of(ContainerState.Running, id: SimulatedEngine.Id), operation);

        Assert.Equal(["policy no", "exec", "stop", "remove"], engine.Calls);
        Assert.Equal(TimeSpan.FromSeconds(18), engine.Grace);
    }

    [Fact]
    public async Task A_restart_runs_the_preStop_hook_too()
    {
        using var engine = new SimulatedEngine { State = ContainerState.Running, OnExec = _ => Task.FromResult<long?>(0) };
        using var operation = new Operation(ContainerStep.Restart, TestContext.Current.CancellationToken);
        using var work = Work();

        await work.RestartAsync(engine, Replica(preStop: "quit"), Host(), SimulatedEngine.Id, "its probe failed", startAgain: true, operation);

        Assert.Equal(["exec", "stop", "start", "inspect"], engine.Calls);
    }

    [Fact]
    public async Task A_restart_that_is_cancelled_in_its_preStop_hook_stops_and_no_second_hook_is_needed()
    {
        using var operation = new Operation(ContainerStep.Restart, TestContext.Current.CancellationToken);
        using var engine = new SimulatedEngine
        {
            State = ContainerState.Running,
            OnExec = _ =>
            {
                operation.Cancel();
                return Task.FromResult<long?>(0);
            },
        };
        using var work = Work();

        var outcome = await work.RestartAsync(engine, Replica(preStop: "quit"), Host(), SimulatedEngine.Id, "its probe failed", startAgain: true, operation);

        Assert.Equal(ContainerState.Exited, outcome.Seen?.State);
        Assert.Equal(["exec", "stop", "inspect"], engine.Calls);
    }

    [Theory]
    [InlineData(ContainerState.Exited)]
    [InlineData(ContainerState.Created)]
    [InlineData(ContainerState.Paused)]
    [InlineData(ContainerState.Restarting)]
    public async Task What_does_not_run_has_no_preStop_hook_run_in_it(ContainerState state)
    {
        using var engine = new SimulatedEngine { State = state };
        using var operation = new Operation(ContainerStep.StopAndRemove, TestContext.Current.CancellationToken);
        using var work = Work();

        await work.StopForGoodAsync(engine, Replica(preStop: "quit"), Host(), Snapshots.Of(state, id: SimulatedEngine.Id), operation);

        Assert.DoesNotContain("exec", engine.Calls);
        Assert.Equal("remove", engine.Calls[^1]);
    }

    private static ContainerWork Work(TimeProvider? time = null)
    {
        var events = new RecordedEvents();
        var hooks = new LifecycleHooks(http: null!, events, time ?? TimeProvider.System);
        return new("instance", puller: null!, contents: null!, hooks, () => { }, events, NullLogger.Instance);
    }

    private static Replica Replica(string? preStop = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = "uid" },
        Spec = new ReplicaSpec { AppName = "web", Revision = "r", HostName = "h1", HostPort = 20000, Template = Template(preStop) },
    };

    private static ReplicaTemplate Template(string? preStop) => new()
    {
        Image = "web:v1",
        Lifecycle = preStop is null ? null : new V1Lifecycle { PreStop = new V1LifecycleHandler { Exec = new V1ExecAction { Command = [preStop] } } },
    };

    private static DockerHost Host() => new() { Metadata = new V1ObjectMeta { Name = "h1" }, Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:2376" } };
}
