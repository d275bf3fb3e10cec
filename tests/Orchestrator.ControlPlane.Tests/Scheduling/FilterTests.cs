using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

public sealed class FilterTests
{
    private readonly World _world = new();

    [Fact]
    public void Why_nothing_fits_is_told_with_what_rules_out_most_hosts_first()
    {
        _world.Host("a", memory: "100Mi");
        _world.Host("b", memory: "100Mi");
        _world.Host("c", memory: "8Gi", and: host => host.Spec.Unschedulable = true);

        Assert.Equal("0/3 hosts: 2 insufficient memory, 1 cordoned", _world.Place(_world.App("web", memory: "1Gi")));
    }

    [Fact]
    public void Without_a_host_it_says_so() => Assert.Equal("0/0 hosts: there is no DockerHost yet", _world.Place(_world.App("web")));

    // A number that no decimal holds must not end the round for all.
    [Fact]
    public void A_quantity_beyond_all_numbers_concerns_its_own_replica_alone()
    {
        _world.Host("a", cpu: "2");
        var (huge, web) = (_world.Replica(_world.App("huge", cpu: "1e40")), _world.Replica(_world.App("web", cpu: "1")));
        var decisions = _world.Round();

        Assert.Equal("0/1 hosts: 1 insufficient cpu", decisions.OfType<Unfit>().Single(unfit => unfit.Replica == huge).Message);
        Assert.Equal("a", decisions.OfType<Placed>().Single(placed => placed.Replica == web).Host);
    }

    [Fact]
    public void A_capacity_beyond_all_numbers_is_room_enough()
    {
        _world.Host("a", cpu: "1e40");

        Assert.Equal("a", _world.Place(_world.App("web", cpu: "1000")));
    }

    [Fact]
    public void A_replica_without_its_app_is_not_placed()
    {
        _world.Host("a");
        var app = _world.App("web");
        _world.Apps.Clear();

        Assert.Equal("WebApp web does not exist", _world.Place(app));
    }

    [Fact]
    public void A_host_that_flaps_takes_nothing_until_it_is_trusted_again_unless_no_other_is_ready()
    {
        var noon = new DateTime(2025, 3, 1, 12, 0, 0, DateTimeKind.Utc);
        _world.Host("a", and: host => host.Status!.Flapping = new() { Count = 3, Until = noon.AddSeconds(20) });
        var full = _world.Host("b", memory: "100Mi");
        var app = _world.App("web", memory: "1Gi");

        Assert.Equal("0/2 hosts: 1 flapping until 2025-03-01T12:00:20Z, 1 insufficient memory", _world.Place(app));
        Assert.Contains("flapping until 2025-03-01T12:00:20Z", _world.Explain(app).Hosts.Single(host => host.Name == "a").WhyNot);

        _world.Hosts.Remove(full);
        Assert.Equal("a", _world.Place(_world.App("only", memory: "1Gi")));
        _world.Host("c", memory: "100Mi");
        _world.Host("d", and: host => host.Status!.Flapping = new() { Count = 3, Until = noon });
        Assert.Equal("d", _world.Place(_world.App("other", memory: "1Gi")));
    }

    [Fact]
    public void A_host_that_is_not_ready_or_has_never_been_takes_nothing()
    {
        _world.Host("a", and: host => host.Status!.Conditions![0].Status = Conditions.Unknown);
        _world.Host("b", and: host => host.Status = null);

        Assert.Equal("0/2 hosts: 2 not ready", _world.Place(_world.App("web")));
    }

    [Fact]
    public void A_host_being_deleted_takes_nothing()
    {
        _world.Host("a", and: host => host.Metadata.DeletionTimestamp = DateTime.UnixEpoch);

        Assert.Equal("0/1 hosts: 1 being deleted", _world.Place(_world.App("web")));
    }

    [Theory]
    [InlineData("NoSchedule", null, null, null, null, false)]
    [InlineData("NoExecute", null, null, null, null, false)]
    [InlineData("PreferNoSchedule", null, null, null, null, true)]
    [InlineData("NoSchedule", "gpu", "Equal", "true", null, true)]
    [InlineData("NoSchedule", "gpu", null, "true", "NoSchedule", true)]
    [InlineData("NoSchedule", "gpu", "Exists", null, null, true)]
    [InlineData("NoSchedule", null, "Exists", null, null, true)]
    [InlineData("NoSchedule", "gpu", "Equal", "false", null, false)]
    [InlineData("NoSchedule", "disk", "Exists", null, null, false)]
    [InlineData("NoExecute", "gpu", "Equal", "true", "NoSchedule", false)]
    public void A_taint_holds_off_who_does_not_tolerate_it(string effect, string? key, string? @operator, string? value, string? tolerated, bool fits)
    {
        _world.Host("a", and: host => host.Spec.Taints = [new V1Taint { Key = "gpu", Value = "true", Effect = effect }]);
        var tolerations = key is null && @operator is null
            ? null
            : new List<V1Toleration> { new() { Key = key, OperatorProperty = @operator, Value = value, Effect = tolerated } };

        var placed = _world.Place(_world.App("web", new Placement { Tolerations = tolerations }));

        Assert.Equal(fits ? "a" : $"0/1 hosts: 1 with taint gpu=true:{effect} that is not tolerated", placed);
    }

    [Fact]
    public void A_host_selector_wants_all_its_labels()
    {
        _world.Host("a", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["disk"] = "ssd" });
        _world.Host("b", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["disk"] = "ssd", ["zone"] = "x" });
        var both = new Placement { HostSelector = new Dictionary<string, string> { ["disk"] = "ssd", ["zone"] = "x" } };
        var none = new Placement { HostSelector = new Dictionary<string, string> { ["disk"] = "hdd" } };

        Assert.Equal("b", _world.Place(_world.App("web", both)));
        Assert.Equal("0/2 hosts: 2 not matching the host selector", _world.Place(_world.App("shop", none)));
    }

    [Fact]
    public void Requests_are_counted_against_the_capacity_until_the_last_byte()
    {
        _world.Host("a", cpu: "1", memory: "1Gi");
        var app = _world.App("web", cpu: "500m", memory: "256Mi");

        Assert.Equal(["a", "a"], [_world.Place(app), _world.Place(app)]);
        Assert.Equal("0/1 hosts: 1 insufficient cpu", _world.Place(app));
    }

    [Fact]
    public void The_users_word_on_capacity_counts_before_the_engines()
    {
        _world.Host("a", cpu: "64", and: host => host.Spec.Capacity = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("1") });

        Assert.Equal("0/1 hosts: 1 insufficient cpu", _world.Place(_world.App("web", cpu: "2")));
    }

    [Fact]
    public void What_is_still_being_stopped_still_holds_its_resources()
    {
        _world.Host("a", memory: "1Gi");
        var app = _world.App("web", memory: "1Gi");
        _world.Replica(app, on: "a", leaving: true);

        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Place(app));
    }

    [Fact]
    public void No_more_of_an_app_on_a_host_than_it_wants_but_another_revision_may_take_over()
    {
        _world.Host("a");
        _world.Host("b");
        var app = _world.App("web", new Placement { MaxReplicasPerHost = 1 });

        Assert.Equal(["a", "b"], new[] { _world.Place(app), _world.Place(app) }.Order());
        Assert.Equal("0/2 hosts: 2 at the limit of 1 replicas a host", _world.Place(app));
        Assert.DoesNotContain("hosts:", _world.Place(app, revision: "r2"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_hard_spread_is_kept_also_when_a_domain_is_full()
    {
        Zone("a", "x", memory: "8Gi");
        Zone("b", "y", memory: "1Gi");
        var app = _world.App("web", Spread(UnsatisfiableActions.DoNotSchedule), memory: "1Gi");

        Assert.Equal(["a", "b"], new[] { _world.Place(app), _world.Place(app) }.Order());
        Assert.Equal("a", _world.Place(app));
        Assert.Equal("0/2 hosts: 1 insufficient memory, 1 not fitting the spread over zone", _world.Place(app));
    }

    [Fact]
    public void A_domain_whose_hosts_are_all_away_holds_no_other_back()
    {
        Zone("a", "x");
        Zone("b", "y", and: host => host.Spec.Unschedulable = true);
        var app = _world.App("web", Spread(UnsatisfiableActions.DoNotSchedule));

        Assert.Equal(["a", "a", "a"], [_world.Place(app), _world.Place(app), _world.Place(app)]);
    }

    [Fact]
    public void A_hard_spread_over_a_label_that_a_host_lacks_rules_it_out()
    {
        _world.Host("a");

        Assert.Equal("0/1 hosts: 1 without label zone", _world.Place(_world.App("web", Spread(UnsatisfiableActions.DoNotSchedule))));
    }

    [Fact]
    public void A_host_whose_ports_are_used_up_takes_nothing()
    {
        _world.Host("a", and: host => host.Spec.PortRange = new PortRange { First = 20000, Last = 20001 });
        _world.Refused.Add(("a", 20001));
        var app = _world.App("web");

        Assert.Equal("a", _world.Place(app));
        Assert.Equal("0/1 hosts: 1 without a free port in 20000-20001", _world.Place(app));
    }

    [Fact]
    public void One_that_fits_nowhere_holds_up_no_other()
    {
        _world.Host("a", memory: "1Gi");
        _world.Replica(_world.App("big", memory: "2Gi"));
        var small = _world.Replica(_world.App("small", memory: "1Mi"));
        _world.Round();

        Assert.Equal("a", small.Spec.HostName);
    }

    private static Placement Spread(string action) =>
        new() { Spread = [new SpreadConstraint { TopologyKey = "zone", WhenUnsatisfiable = action }] };

    private void Zone(string name, string zone, string? memory = null, Action<DockerHost>? and = null) => _world.Host(name, memory: memory, and: host =>
    {
        host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = zone };
        and?.Invoke(host);
    });
}
