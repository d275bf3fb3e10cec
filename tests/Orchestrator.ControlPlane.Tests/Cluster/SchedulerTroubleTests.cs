using System.Net;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>What must not stop the scheduler, make it spin, or leave a Replica waiting for ever.</summary>
public sealed class SchedulerTroubleTests
{
    private static CancellationToken TestEnd => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_answer_however_broken_ends_the_writers_of_the_scheduler()
    {
        const int writers = 16;
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        var (patched, read) = (0, 0);
        using var wire = new AnsweringWire((request, _) => Task.FromResult(
            IsBinding(request) && Interlocked.Increment(ref patched) <= writers
                ? new HttpResponseMessage(HttpStatusCode.Conflict)
                : IsOfReplica(request, HttpMethod.Get) && Interlocked.Increment(ref read) <= writers
                    ? new HttpResponseMessage { Content = new StreamContent(new BrokenStream()) }
                    : null));
        await cluster.StartControllersAsync(wire);
        await ApplyWithoutHostAsync(cluster, "web", writers);
        await cluster.CreateHostAsync("h1");

        await cluster.WaitForReadyAsync("web", writers);
        Assert.True(read > 0);
    }

    [Fact]
    public async Task A_replica_that_is_gone_while_the_watch_is_behind_is_not_decided_for_again_and_again()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 0, controllers: false);
        var bindings = 0;
        using var wire = new AnsweringWire(async (request, cancellationToken) =>
        {
            var path = request.RequestUri!.AbsolutePath;
            if (path.EndsWith("/replicas", StringComparison.Ordinal) && request.RequestUri.Query.Contains("watch=true", StringComparison.Ordinal))
            {
                await new TaskCompletionSource().Task.WaitAsync(cancellationToken); // the watch is never answered
            }

            if (IsBinding(request))
            {
                Interlocked.Increment(ref bindings);
                await cluster.Api.ReplicaClient.DeleteAsync(new(TestCluster.Namespace, path.Split('/')[^1]), null, cancellationToken);
            }

            return null;
        });
        await cluster.StartControllersAsync(wire);
        await ApplyWithoutHostAsync(cluster, "web", 1);
        await cluster.CreateHostAsync("h1");
        await Eventually.True(() => Volatile.Read(ref bindings) > 0);

        // Rounds go on for all others.
        for (var i = 0; i < 5; i++)
        {
            var other = $"other-{i}";
            await cluster.ApplyAsync(other, 1);
            await Eventually.See(() => cluster.ReplicasAsync(other), replicas => replicas is [{ Spec.HostName: not null }]);
        }

        Assert.Equal(1, bindings);
    }

    [Fact]
    public async Task A_replica_that_waits_for_a_refused_port_gets_it_when_it_may_be_tried_again()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1, controllers: false);
        await cluster.Api.HostClient.MergePatchAsync(new(null, "h1"), new { spec = new { portRange = new { first = 20000, last = 20000 } } }, TestEnd);
        var isTaken = true;
        cluster.Agent.StatusOf = replica => isTaken ? TestAgent.Failing(ReplicaView.PortUnavailable, "port is already allocated") : TestAgent.Ready(replica);
        var clock = new FakeTimeProvider();
        await cluster.StartControllersAsync(clock: clock);
        await cluster.ApplyAsync("web", 1);
        await Eventually.See(ReplicasALittleLater, replicas => replicas is [{ Status.Message: "0/1 hosts: 1 without a free port in 20000-20000" }]);

        // Rounds that the telling itself has caused pass, or they would find the port free below.
        for (var i = 0; i < 20; i++)
        {
            await ReplicasALittleLater();
        }

        isTaken = false;
        clock.Advance(TimeSpan.FromMinutes(30));
        await Eventually.See(ReplicasALittleLater, replicas => replicas is [{ Spec.HostPort: 20000, Status.Ready: true }]);

        Task<List<Replica>> ReplicasALittleLater()
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return cluster.ReplicasAsync("web");
        }
    }

    [Fact]
    public async Task A_replica_that_only_a_flapping_host_fits_gets_it_when_the_host_is_trusted_again()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2, controllers: false);
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var until = clock.GetUtcNow().UtcDateTime.AddSeconds(40);
        await cluster.Api.HostClient.MergePatchStatusAsync(new(null, "h1"), new { status = new { flapping = new HostFlapping { Count = 4, Until = until } } }, TestEnd);
        await cluster.StartControllersAsync(clock: clock);
        await cluster.ApplyAsync("web", 1, spec => spec.Placement = new() { HostSelector = new Dictionary<string, string> { [TopologyKeys.Hostname] = "h1" } });
        await Eventually.See(ReplicasALittleLater, replicas => replicas is [{ Status.Message: { } message }] && message.StartsWith("0/2 hosts: 1 flapping until ", StringComparison.Ordinal));

        clock.Advance(TimeSpan.FromSeconds(40));
        await Eventually.See(ReplicasALittleLater, replicas => replicas is [{ Spec.HostName: "h1", Status.Ready: true }]);

        Task<List<Replica>> ReplicasALittleLater()
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            return cluster.ReplicasAsync("web");
        }
    }

    /// <summary>Where there is a place for a Replica, it is created with it.</summary>
    private static async Task ApplyWithoutHostAsync(TestCluster cluster, string name, int replicas)
    {
        await cluster.ApplyAsync(name, replicas);
        await Eventually.See<List<Replica>>(
            () => cluster.ReplicasAsync(name),
            made => made.Count == replicas && made.TrueForAll(replica => replica.Status?.Reason == Binder.Unschedulable));
    }

    private static bool IsBinding(HttpRequestMessage request) =>
        IsOfReplica(request, HttpMethod.Patch) && !request.RequestUri!.AbsolutePath.EndsWith("/status", StringComparison.Ordinal);

    private static bool IsOfReplica(HttpRequestMessage request, HttpMethod method) =>
        request.Method == method && request.RequestUri!.AbsolutePath.Contains("/replicas/", StringComparison.Ordinal);
}
