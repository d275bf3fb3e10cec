using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
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

        var restarting = work.RestartAsync(engine, Replica(), SimulatedEngine.Id, "its probe failed", operation);
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

        await work.RestartAsync(engine, Replica(), SimulatedEngine.Id, "its probe failed", operation);

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

    private static ContainerWork Work() => new("instance", puller: null!, () => { }, new RecordedEvents(), NullLogger.Instance);

    private static Replica Replica() => new()
    {
        Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = "uid" },
        Spec = new ReplicaSpec { AppName = "web", Revision = "r", HostName = "h1", HostPort = 20000, Template = new ReplicaTemplate { Image = "web:v1" } },
    };

    private static DockerHost Host() => new() { Metadata = new V1ObjectMeta { Name = "h1" }, Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:2376" } };
}
