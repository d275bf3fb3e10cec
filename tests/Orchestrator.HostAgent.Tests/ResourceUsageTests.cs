using k8s.Models;
using Orchestrator.Api;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.HostAgent.Usage;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Tests;

/// <summary>What real engines say of containers that work and containers that rest.</summary>
[Collection(LabCollection.Name)]
public sealed class ResourceUsageTests(AgentWorld world)
{
    private const decimal Limit = 0.2m;

    [Fact]
    public async Task A_container_that_works_uses_about_its_limit_and_one_that_rests_next_to_nothing()
    {
        var host = world.Lab.Hosts[2];
        var busy = await world.AddReadyReplicaAsync(host.Name, template => template.Resources = new ResourceNeeds
        {
            Limits = new Dictionary<string, ResourceQuantity> { [ResourceNeeds.Cpu] = new("200m"), [ResourceNeeds.Memory] = new("64Mi") },
        });
        var idle = await world.AddReadyReplicaAsync(host.Name);
        await world.Lab.DockerAsync(host, "exec", "--detach", AgentWorld.ContainerOf(busy), "sh", "-c", "while :; do :; done");
        var (working, resting, absent) = (busy.Status!.ContainerId!, idle.Status!.ContainerId!, new string('0', 64));
        using var usage = new HostUsage(world.Kubernetes, TimeProvider.System);
        var known = (await world.Hosts.GetAsync(new ObjectKey(null, host.Name), TestContext.Current.CancellationToken))!;

        var seen = await usage.ReadAsync(known, [working, resting, absent], TestContext.Current.CancellationToken);

        // Below, a busy machine may leave it little; above, the limit holds on average over a second, not to the millisecond.
        Assert.InRange(seen[working].CpuCores!.Value, Limit / 10, Limit * 2);
        Assert.True(seen[resting].CpuCores < Limit / 2, $"{seen[resting]}");
        Assert.InRange(seen[working].MemoryBytes!.Value, 1, 64L << 20);
        Assert.Equal("its container is gone", seen[absent].Problem);
        await world.RemoveAsync(busy);
        await world.RemoveAsync(idle);
    }
}
