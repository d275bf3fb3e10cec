using Docker.DotNet.Models;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Containers;

/// <summary>
/// An engine goes on with a create whose caller has hung up (measured on a real one). So a Replica that is deleted in mid-create
/// must wait for it, or its container appears when nobody knows of it any more.
/// </summary>
public sealed class DeletedWhileCreatedTests
{
    [Fact]
    public async Task The_create_is_waited_for_and_what_it_made_is_told_of_and_not_started()
    {
        using var engine = new SimulatedSlowEngine();
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = new ContainerWork("instance", puller: null!, () => { }, new RecordedEvents(), NullLogger.Instance);

        var creating = work.CreateAsync(engine, Replica(), Host(), operation);
        await engine.CreateBegan.Task;
        operation.Cancel();
        Assert.False(creating.IsCompleted);
        engine.MayCreate.SetResult();
        var outcome = await creating;

        Assert.True(outcome.Looked);
        Assert.Equal(SimulatedSlowEngine.Id, outcome.Seen?.Id);
        Assert.False(engine.Started);
    }

    [Fact]
    public async Task A_create_that_is_not_cancelled_is_started()
    {
        using var engine = new SimulatedSlowEngine();
        using var operation = new Operation(ContainerStep.Create, TestContext.Current.CancellationToken);
        using var work = new ContainerWork("instance", puller: null!, () => { }, new RecordedEvents(), NullLogger.Instance);
        engine.MayCreate.SetResult();

        await work.CreateAsync(engine, Replica(), Host(), operation);

        Assert.True(engine.Started);
    }

    private static Replica Replica() => new()
    {
        Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = "uid" },
        Spec = new ReplicaSpec { AppName = "web", Revision = "r", HostName = "h1", HostPort = 20000, Template = new ReplicaTemplate { Image = "web:v1" } },
    };

    private static DockerHost Host() => new() { Metadata = new V1ObjectMeta { Name = "h1" }, Spec = new DockerHostSpec { Endpoint = "tcp://127.0.0.1:2376" } };

    /// <summary>Creates when told to; of the rest only what a create leads to.</summary>
    private sealed class SimulatedSlowEngine : IEngine
    {
        public const string Id = "c1";

        public TaskCompletionSource CreateBegan { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayCreate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Started { get; private set; }

        public EngineFacts Facts => throw new InvalidOperationException();

        public string? PeerAddress => "127.0.0.1";

        public async Task<string> CreateAsync(CreateContainerParameters body, CancellationToken cancellationToken)
        {
            CreateBegan.SetResult();
            await MayCreate.Task.WaitAsync(cancellationToken);
            return Id;
        }

        public Task StartAsync(string id, CancellationToken cancellationToken)
        {
            Started = true;
            return Task.CompletedTask;
        }

        public Task<ContainerSnapshot?> InspectAsync(string idOrName, CancellationToken cancellationToken) =>
            Task.FromResult<ContainerSnapshot?>(Snapshots.Of(Started ? ContainerState.Running : ContainerState.Created, id: Id));

        public Task PingAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task<IReadOnlyList<ListedContainer>> ListAsync(string instanceId, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task SetRestartPolicyAsync(string id, bool always, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task RemoveAsync(string id, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task PullAsync(ImageReference image, RegistryCredentials? credentials, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task<long?> ExecAsync(string id, IList<string> command, TimeSpan timeout, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task<string?> LastLogLineAsync(string id, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task<IEngineEventStream> OpenEventsAsync(string instanceId, CancellationToken cancellationToken) => throw new InvalidOperationException();

        public Task<IReadOnlyList<HostImage>> ImagesAsync(CancellationToken cancellationToken) => throw new InvalidOperationException();

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
