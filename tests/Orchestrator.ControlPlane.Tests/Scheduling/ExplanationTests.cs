using CsCheck;
using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

/// <summary>Where one more replica would go, host by host.</summary>
public sealed class ExplanationTests
{
    private readonly World _world = new();

    [Fact]
    public void Hosts_that_fit_come_in_the_order_of_their_scores_with_what_decided()
    {
        foreach (var name in new[] { "a", "b", "c" })
        {
            _world.Host(name, cpu: "4", memory: "4Gi");
        }

        _world.Hosts[0].Spec.Taints = [new V1Taint { Key = "slow", Effect = "PreferNoSchedule" }];
        var app = _world.App("web");
        _world.Replica(app, on: "b", revision: "old");

        var explanation = _world.Explain(app);

        Assert.Equal(("c", "one more replica would go to c"), (explanation.Host, explanation.Message));
        Assert.Equal(
            [("c", 1, null), ("b", 2, "more replicas of the app"), ("a", 3, "more taints that say PreferNoSchedule")],
            explanation.Hosts.Select(host => (host.Name, host.Rank ?? 0, host.Behind)));
        Assert.Equal(["avoided", "unmet", "ofRevision", "ofApp", "inDomains", "fullness"], explanation.Hosts[0].Score.Keys);
        Assert.Equal((1, 1), (explanation.Hosts[2].Score["avoided"], explanation.Hosts[1].Score["ofApp"]));
    }

    [Fact]
    public void A_host_that_does_not_fit_is_told_all_that_rules_it_out()
    {
        _world.Host("a", memory: "8Gi");
        _world.Host("b", memory: "1Gi", and: host => host.Spec.Unschedulable = true);
        _world.Host("c", memory: "1Gi", and: host => host.Spec.Taints = [new V1Taint { Key = "gpu", Value = "true", Effect = "NoSchedule" }]);
        var app = _world.App("web", new Placement { MaxReplicasPerHost = 1 }, memory: "2Gi");
        _world.Replica(app, on: "a");

        var explanation = _world.Explain(app);

        Assert.Null(explanation.Host);
        Assert.Equal("0/3 hosts: 1 at the limit of 1 replicas a host, 1 cordoned, 1 with taint gpu=true:NoSchedule that is not tolerated", explanation.Message);
        Assert.Equal(
            ["a: at the limit of 1 replicas a host", "b: cordoned; insufficient memory", "c: with taint gpu=true:NoSchedule that is not tolerated; insufficient memory"],
            explanation.Hosts.Select(host => $"{host.Name}: {string.Join("; ", host.WhyNot)}"));
        Assert.All(explanation.Hosts, host => Assert.Null(host.Rank));
    }

    // The domains are those of candidates: a host that is none has its label all the same.
    [Fact]
    public void A_spread_is_not_held_against_a_host_that_is_ruled_out_by_itself()
    {
        foreach (var (name, zone) in new[] { ("a", "x"), ("b", "y") })
        {
            _world.Host(name, and: host => host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = zone });
        }

        _world.Hosts[1].Spec.Unschedulable = true;
        var explanation = _world.Explain(_world.App("web", new Placement
        {
            Spread = [new SpreadConstraint { TopologyKey = "zone", WhenUnsatisfiable = UnsatisfiableActions.DoNotSchedule }],
        }));

        Assert.Equal(["cordoned"], explanation.Hosts.Single(host => host.Name == "b").WhyNot);
    }

    [Fact]
    public void A_host_in_no_domain_of_a_soft_spread_has_no_number_there_and_comes_last()
    {
        _world.Host("a");
        _world.Host("b", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = "x" });

        var explanation = _world.Explain(_world.App("web", new Placement { Spread = [new SpreadConstraint { TopologyKey = "zone" }] }));

        Assert.Equal([("b", 0d), ("a", null)], explanation.Hosts.Select(host => (host.Name, host.Score["inDomains"])));
    }

    [Fact]
    public void A_port_that_a_replica_says_was_refused_is_taken()
    {
        _world.Host("a", and: host => host.Spec.PortRange = new PortRange { First = 20000, Last = 20001 });
        var app = _world.App("web");
        _world.Replica(app, on: "a", port: 20000).Status = new ReplicaStatus { Phase = ReplicaPhases.BackOff, Reason = "PortUnavailable" };

        Assert.Equal("a", _world.Explain(app).Host);
        _world.Replica(app, on: "gone", port: 20001);
        _world.Replica(app, on: "a", port: 20001);
        Assert.Equal(["without a free port in 20000-20001"], _world.Explain(app).Hosts.Single().WhyNot);
    }

    [Fact]
    public void It_says_what_the_scheduler_does() => Gen.Int.Sample(seed =>
    {
        var world = PlacementProperties.Random(new Random(seed));
        world.Round();
        foreach (var app in world.Apps.Values)
        {
            var explanation = world.Explain(app);
            Assert.Equal(explanation.Host ?? explanation.Message, world.Place(app));
            Assert.Equal(explanation.Host, explanation.Hosts.FirstOrDefault(host => host.Rank == 1)?.Name);
            Assert.All(explanation.Hosts, host => Assert.Equal(host.Rank is null, host.WhyNot.Count > 0));
        }
    });

    [Fact]
    public void The_fields_that_are_told_are_those_that_are_compared() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        var (one, other) = (Score(random), Score(random));
        var told = HostScore.Fields
            .Select(field => (field.Value(one) ?? double.MaxValue).CompareTo(field.Value(other) ?? double.MaxValue))
            .FirstOrDefault(order => order != 0);
        Assert.Equal(Math.Sign(told), Math.Sign(one.CompareTo(other)));
    });

    private static HostScore Score(Random random) => new(
        random.Next(2), random.Next(2), random.Next(2), random.Next(2), random.Next(3) is 2 ? int.MaxValue / 16 : random.Next(2), random.Next(2) / 2d, Tie: 0);
}
