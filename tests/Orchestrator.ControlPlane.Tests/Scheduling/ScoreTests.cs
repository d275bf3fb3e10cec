using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

public sealed class ScoreTests
{
    private readonly World _world = new();

    [Fact]
    public void An_app_is_spread_over_the_hosts_evenly_whatever_else_runs_there()
    {
        _world.Host("a", cpu: "64");
        _world.Host("b", cpu: "2");
        _world.Host("c", cpu: "2");
        var other = _world.App("other", cpu: "1");
        _world.Replica(other, on: "b");
        var app = _world.App("web", cpu: "100m");
        for (var i = 0; i < 9; i++)
        {
            _world.Replica(app);
        }

        _world.Round();

        Assert.All(_world.Replicas.Where(replica => replica.Spec.AppName == "web").GroupBy(replica => replica.Spec.HostName), host => Assert.Equal(3, host.Count()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("DoNotSchedule")]
    [InlineData("ScheduleAnyway")]
    public void A_revision_that_comes_in_one_by_one_is_spread_evenly_too(string? spread)
    {
        Placement? placement = spread is null ? null
            : new() { Spread = [new SpreadConstraint { TopologyKey = "kubernetes.io/hostname", WhenUnsatisfiable = spread }] };
        var app = _world.App("web", placement);
        foreach (var host in new[] { "a", "b", "c", "d", "e" })
        {
            _world.Host(host);
            _world.Replica(app, on: host, revision: "old");
        }

        // As a rollout does it: where a new one is ready, an old one goes.
        var taken = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            taken.Add(_world.Place(app, revision: "new"));
            _world.Replicas.RemoveAll(replica => replica.Spec.Revision == "old" && replica.Spec.HostName == taken[^1]);
        }

        Assert.Equal(5, taken.Distinct().Count());
    }

    [Fact]
    public void A_soft_spread_decides_between_hosts_with_as_many_of_the_app()
    {
        foreach (var (name, zone) in new[] { ("a1", "a"), ("a2", "a"), ("b1", "b") })
        {
            _world.Host(name, and: host => host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = zone });
        }

        var app = _world.App("web", new Placement { Spread = [new SpreadConstraint { TopologyKey = "zone" }] });
        var first = _world.Place(app);
        var second = _world.Place(app);

        Assert.NotEqual(first[0], second[0]);
    }

    [Fact]
    public void A_host_one_would_rather_avoid_is_taken_only_if_nothing_else_fits()
    {
        _world.Host("avoided", memory: "8Gi", and: host => host.Spec.Taints = [new V1Taint { Key = "slow", Effect = "PreferNoSchedule" }]);
        _world.Host("b", memory: "2Gi");
        var app = _world.App("web", memory: "1Gi");

        Assert.Equal(["b", "b", "avoided"], [_world.Place(app), _world.Place(app), _world.Place(app)]);
    }

    [Fact]
    public void Of_hosts_without_the_app_the_emptier_is_taken()
    {
        _world.Host("full", cpu: "4", memory: "4Gi");
        _world.Host("empty", cpu: "4", memory: "4Gi");
        _world.Replica(_world.App("other", cpu: "1", memory: "1Gi"), on: "full");

        Assert.Equal("empty", _world.Place(_world.App("web")));
    }

    [Fact]
    public void Replicas_without_requests_weigh_too()
    {
        _world.Host("full", cpu: "4", memory: "4Gi");
        _world.Host("empty", cpu: "4", memory: "4Gi");
        _world.Replica(_world.App("other"), on: "full");

        Assert.Equal("empty", _world.Place(_world.App("web")));
    }

    [Fact]
    public void A_host_that_has_the_image_is_taken_before_one_that_must_pull_it()
    {
        foreach (var name in new[] { "a", "b", "c" })
        {
            _world.Host(name, cpu: "4", memory: "4Gi");
        }

        _world.Hosts[1].Status!.Images = [new HostImage { Names = ["docker.io/library/web:1"], SizeBytes = 400_000_000 }];

        Assert.Equal("b", _world.Place(_world.App("web")));
    }

    [Theory]
    [InlineData(null, "empty", "full", "empty")]
    [InlineData("Spread", "empty", "full", "empty")]
    [InlineData("LeastAllocated", "empty", "empty", "empty")]
    [InlineData("MostAllocated", "full", "full", "full", "empty")]
    public void A_strategy_spreads_or_evens_out_or_fills_up(string? strategy, params string[] hosts)
    {
        _world.Host("full", memory: "6Gi");
        _world.Host("empty", memory: "8Gi");
        var app = _world.App("web", new Placement { Strategy = strategy }, memory: "1Gi");
        _world.Replica(_world.App("other", memory: "3Gi"), on: "full");
        Assert.Equal(hosts, hosts.Select(_ => _world.Place(app)));
    }

    [Fact]
    public void Equals_are_decided_for_each_replica_otherwise_and_always_the_same()
    {
        var runs = Enumerable.Range(0, 2).Select(_ =>
        {
            var world = new World();
            for (var i = 0; i < 10; i++)
            {
                world.Host($"h{i}");
            }

            return Enumerable.Range(0, 10).Select(i => world.Place(world.App($"app{i}"))).ToList();
        }).ToList();

        Assert.Equal(runs[0], runs[1]);
        Assert.True(runs[0].Distinct().Count() > 3, $"all on {string.Join(' ', runs[0].Distinct())}");
    }
}
