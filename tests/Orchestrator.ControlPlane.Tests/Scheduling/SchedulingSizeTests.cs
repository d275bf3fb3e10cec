using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

/// <summary>The size we claim: a thousand hosts that ten thousand replicas are placed on at once.</summary>
public sealed class SchedulingSizeTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(10_000)]
    public void Ten_thousand_replicas_of_some_apps_over_a_thousand_hosts(int apps)
    {
        var world = new World();
        for (var i = 0; i < 1_000; i++)
        {
            world.Host($"host-{i}", cpu: "16", memory: "64Gi");
        }

        for (var i = 0; i < 10_000; i++)
        {
            var name = $"app-{i % apps}";
            world.Replica(world.Apps.GetValueOrDefault(new("default", name)) ?? world.App(name, cpu: "100m", memory: "64Mi"));
        }

        var decisions = world.Round();

        Assert.All(decisions, decision => Assert.IsType<Placed>(decision));
        Assert.All(world.Replicas.CountBy(replica => replica.Spec.HostName!), host => Assert.InRange(host.Value, 5, 15));
    }
}
