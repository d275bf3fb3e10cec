using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Containers;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.HostAgent.Tests.Containers;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Tests.Hosts;

public sealed class EngineLookTests
{
    private const string Host = "h-look";

    private static readonly DockerHost TheHost = new() { Metadata = new V1ObjectMeta { Name = Host, Uid = "uid-of-host" } };

    [Fact]
    public async Task A_removal_counts_and_is_told_with_its_reason_once_it_has_succeeded()
    {
        using var engine = new SimulatedEngine { Listed = [Listed("of-its-name", "orc-default-web-1"), Listed("one-too-many", "copy")] };
        var events = new RecordedEvents();

        engine.OnRemove = _ => throw new EngineException(EngineFailure.Failed, "driver failed to remove root filesystem");
        await LookAsync(engine, events);
        Assert.Equal((1, 0), (engine.Calls.Count(call => call == "remove"), Removed("duplicate")));
        Assert.Empty(events.ReasonsOf(TheHost));

        engine.OnRemove = _ => Task.CompletedTask;
        await LookAsync(engine, events);
        Assert.Equal((2, 1), (engine.Calls.Count(call => call == "remove"), Removed("duplicate")));
        Assert.Equal([EngineLook.RemovedContainer], events.ReasonsOf(TheHost));
        Assert.Equal("Removed container copy: Replica default/web-1 has another container", events.AllText);
    }

    [Fact]
    public async Task A_container_whose_replica_is_gone_is_removed_and_told_as_that()
    {
        using var engine = new SimulatedEngine { Listed = [Listed("left-over", "orc-default-web-1", uid: "uid-of-before")] };
        var events = new RecordedEvents();

        await LookAsync(engine, events);

        Assert.Equal((1, 1), (engine.Calls.Count(call => call == "remove"), Removed("replica_gone")));
        Assert.Equal([EngineLook.RemovedContainer], events.ReasonsOf(TheHost));
        Assert.Equal("Removed container orc-default-web-1: Replica default/web-1 (uid uid-of-before) is gone or on another host", events.AllText);
    }

    /// <summary>Regression: there was no session with such an engine, also for apps that have no files.</summary>
    [Fact]
    public async Task An_engine_that_does_not_let_its_volumes_be_listed_is_looked_over_all_the_same()
    {
        using var engine = new SimulatedEngine
        {
            Listed = [Listed("of-its-name", "orc-default-web-1")],
            OnListVolumes = () => throw new EngineException(EngineFailure.Failed, "403 Forbidden"),
        };

        await LookAsync(engine);

        Assert.Empty(engine.Calls);
    }

    private static async Task LookAsync(SimulatedEngine engine, RecordedEvents? events = null)
    {
        using var nothing = new NothingThere();
        using var empty = new Kubernetes(new KubernetesClientConfiguration { Host = "https://127.0.0.1:1" }, nothing);
        var informers = new SharedInformers(empty, "test", NullLoggerFactory.Instance, TimeProvider.System);
        informers.Replicas.Seed(new Replica
        {
            Metadata = new V1ObjectMeta { Name = "web-1", NamespaceProperty = "default", Uid = "uid", ResourceVersion = "1" },
            Spec = new ReplicaSpec { AppName = "web", HostName = Host, HostPort = 20000 },
        });
        using var replicas = new ReplicaReconciler(
            informers, null!, null!, null!, null!, null!, new RecordedEvents(), NullLogger.Instance, new SteadyClock(TimeProvider.System), TimeProvider.System);
        using var work = new ContainerWork(
            "instance", puller: null!, contents: null!, hooks: null!, () => { }, new RecordedEvents(), NullLogger.Instance);
        var look = new EngineLook(
            () => TheHost, "instance", informers, replicas, work, events ?? new RecordedEvents(), NullLogger.Instance);
        await look.LookAsync(new EngineSession(engine, TestContext.Current.CancellationToken), all: false, TestContext.Current.CancellationToken);
    }

    private static int Removed(string reason) => (int)ReplicaMetrics.OrphansRemoved.WithLabels(Host, reason).Value;

    private static ListedContainer Listed(string id, string name, string uid = "uid") => new(
        id,
        name,
        new Dictionary<string, string>
        {
            [Labels.Namespace] = "default",
            [Labels.Replica] = "web-1",
            [Labels.ReplicaUid] = uid,
            [Labels.Host] = Host,
        },
        ContainerState.Running);

    /// <summary>An API server that has nothing.</summary>
    private sealed class NothingThere : DelegatingHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.NotFound) { Content = new StringContent("{}"), RequestMessage = request });
    }
}
