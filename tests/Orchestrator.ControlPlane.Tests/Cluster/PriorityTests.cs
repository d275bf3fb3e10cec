using k8s.Models;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Cluster;

/// <summary>An app that matters more gets its room from one that matters less.</summary>
public sealed class PriorityTests
{
    [Fact]
    public async Task The_less_important_makes_room_drains_and_is_told_why()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 1);
        await cluster.ApplyAsync("low", 2, Needing("4Gi"));
        await cluster.WaitForReadyAsync("low", 2);
        var before = await cluster.ReplicasAsync("low");

        await cluster.ApplyAsync("high", 1, spec =>
        {
            Needing("4Gi")(spec);
            spec.Priority = 10;
        });

        await cluster.WaitForReadyAsync("high", 1);
        var high = Assert.Single(await cluster.ReplicasAsync("high"));
        var after = await Eventually.See(
            () => cluster.ReplicasAsync("low"), replicas => replicas.Count == 2 && replicas.Exists(replica => replica.Status?.Reason == "Unschedulable"));
        var stopped = Assert.Single(before.ExceptBy(after.Select(replica => replica.Metadata.Uid), replica => replica.Metadata.Uid));
        var told = $"Warning Preempted: {stopped.Metadata.Name} on {stopped.Spec.HostName} is stopped to make room for {TestCluster.Namespace}/{high.Metadata.Name} of priority 10";
        await Eventually.See(() => cluster.EventsAsync("low"), events => events.Contains(told));
        await Eventually.See(
            () => cluster.EventsAsync(high.Metadata.Name),
            events => events.Exists(one => one.Contains($"takes the place of {stopped.Metadata.Name} on {stopped.Spec.HostName}", StringComparison.Ordinal)));
        await cluster.WaitForAppAsync("low", app => app.Status?.ReadyReplicas == 1);
    }

    [Fact]
    public async Task Room_that_a_limit_keeps_is_made_as_soon_as_enough_others_serve()
    {
        await using var cluster = await TestCluster.StartAsync(hosts: 2);
        cluster.Agent.StatusOf = replica => replica.Spec is { AppName: "low", HostName: "h2" } ? new() { Phase = ReplicaPhases.Running } : TestAgent.Ready(replica);
        await cluster.ApplyAsync("low", 2, Needing("8Gi"));
        await cluster.WaitForAppAsync("low", app => app.Status?.ReadyReplicas == 1);
        await cluster.ApplyAsync("high", 1, spec =>
        {
            Needing("8Gi")(spec);
            spec.Priority = 10;
            spec.Placement = new() { HostSelector = new Dictionary<string, string> { [TopologyKeys.Hostname] = "h1" } };
        });
        await Eventually.See(
            () => cluster.ReplicasAsync("high"),
            replicas => replicas is [{ Status.Message: "0/2 hosts: 1 insufficient memory, 1 not matching the host selector" }]);
        Assert.Equal(2, (await cluster.AppAsync("low")).Status!.Replicas);

        cluster.Agent.StatusOf = TestAgent.Ready;
        cluster.Agent.LookAgain();

        await cluster.WaitForReadyAsync("high", 1);
    }

    private static Action<WebAppSpec> Needing(string memory) =>
        spec => spec.Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["memory"] = new(memory) } };
}
