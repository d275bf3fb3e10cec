using Orchestrator.Api.DockerHosts;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

public sealed class PortTests
{
    private readonly World _world = new();

    [Fact]
    public void Ports_are_given_from_the_range_in_turn()
    {
        _world.Host("a");
        var app = _world.App("web");

        Assert.Equal([20000, 20001, 20002], Ports(app, 3));
    }

    [Fact]
    public void A_port_that_was_just_freed_is_not_given_again_at_once()
    {
        _world.Host("a");
        var app = _world.App("web");
        Ports(app, 2);
        _world.Replicas.RemoveAt(1);

        Assert.Equal([20002], Ports(app, 1));
    }

    [Fact]
    public void At_the_end_of_the_range_it_starts_over_with_what_is_free()
    {
        _world.Host("a", and: host => host.Spec.PortRange = new PortRange { First = 20000, Last = 20002 });
        var app = _world.App("web");
        Ports(app, 3);
        _world.Replicas.RemoveAt(1);

        Assert.Equal([20001], Ports(app, 1));
    }

    [Fact]
    public void A_port_that_a_replica_being_stopped_still_has_is_not_given()
    {
        _world.Host("a", and: host => host.Spec.PortRange = new PortRange { First = 20000, Last = 20001 });
        var app = _world.App("web");
        _world.Replica(app, on: "a", port: 20000, leaving: true);

        Assert.Equal([20001], Ports(app, 1));
    }

    [Fact]
    public void A_port_that_the_engine_refused_is_passed_over()
    {
        _world.Host("a");
        _world.Refused.Add(("a", 20000));

        Assert.Equal([20001], Ports(_world.App("web"), 1));
    }

    [Fact]
    public void After_a_restart_it_goes_on_above_what_is_taken()
    {
        _world.Host("a");
        var app = _world.App("web");
        _world.Replica(app, on: "a", port: 20500);

        Assert.Equal([20501], Ports(app, 1));
    }

    private int?[] Ports(Api.WebApps.WebApp app, int count)
    {
        var replicas = Enumerable.Range(0, count).Select(_ => _world.Replica(app)).ToList();
        _world.Round();
        return [.. replicas.Select(replica => replica.Spec.HostPort)];
    }
}
