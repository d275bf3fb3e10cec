using k8s.Models;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Rebalancing;
using Orchestrator.ControlPlane.WebApps;

namespace Orchestrator.ControlPlane.Tests.Rebalancing;

/// <summary>Which replicas move when a host has come that has none, where to, and what keeps them from it.</summary>
public sealed class RebalanceTests
{
    private readonly Balance _balance = new();

    [Theory]
    [InlineData(2, "h1:1 new:1")]
    [InlineData(3, "h1:2 new:1")]
    [InlineData(9, "h1:5 new:4")]
    public void A_host_that_joins_gets_its_share(int replicas, string counts)
    {
        var app = Settled(replicas, "h1");
        _balance.World.Host("new");

        _balance.Settle();

        Assert.Equal(counts, _balance.Counts(app));
    }

    [Fact]
    public void With_one_more_than_elsewhere_nothing_moves()
    {
        var app = Settled(5, "h1", "h2", "h3");
        Assert.Empty(_balance.Settle());
        Assert.Equal("h1:2 h2:2 h3:1", Sorted(app));
    }

    [Fact]
    public void The_new_one_serves_before_the_youngest_of_the_fullest_host_goes_and_both_are_told()
    {
        var app = Settled(4, "h1", "h2");
        _balance.World.Replicas.RemoveAll(replica => replica.Spec.HostName == "h2");
        _balance.World.Hosts[1].Spec.Unschedulable = true;
        _balance.Step();
        _balance.Step();
        Assert.Equal("h1:4", _balance.Counts(app));
        var youngest = _balance.World.Replicas.MaxBy(replica => (replica.Metadata.CreationTimestamp, replica.Metadata.Name))!;
        _balance.World.Hosts[1].Spec.Unschedulable = null;
        var fewest = int.MaxValue;
        _balance.Planned = (_, _, live, plan) => fewest = Math.Min(fewest, live.Count(view => view.Ready && !plan.Delete.Contains(view.Replica.Metadata.Name)));

        var move = Assert.Single(_balance.Look());
        _balance.Settle();

        Assert.Equal((youngest.Metadata.Uid, "h1", "h2", 4, 0), (move.Uid, move.From, move.To, move.FromCount, move.ToCount));
        Assert.DoesNotContain(youngest, _balance.World.Replicas);
        Assert.Equal(("h1:2 h2:2", 4), (_balance.Counts(app), fewest));
        Assert.Equal($"Rebalancing: {youngest.Metadata.Name} leaves h1, which has 4 of the replicas, for h2, which has 0: a new one starts first", _balance.Events[0]);
    }

    [Fact]
    public void Nothing_moves_on_to_a_host_that_is_not_steady_yet()
    {
        Settled(4, "h1");
        _balance.World.Host("new");
        _balance.IsSteady = name => name != "new";
        Assert.Empty(_balance.Settle());

        _balance.IsSteady = _ => true;
        Assert.NotEmpty(_balance.Look());
    }

    [Fact]
    public void Only_a_few_move_at_a_time_a_tenth_of_an_app_and_ten_over_all()
    {
        for (var i = 0; i < 4; i++)
        {
            Settled(40, "h1");
        }

        _balance.World.Host("new");

        var moves = _balance.Look();

        Assert.Equal([4, 4, 2], moves.CountBy(move => move.Replica.Spec.AppName).Select(app => app.Value).OrderDescending());
        Assert.Empty(_balance.Look());
    }

    [Fact]
    public void An_app_that_keeps_its_distance_from_others_moves_while_no_other_does()
    {
        Settled(4, "h1");
        Settled(6, and: app => Say(app, "anti-affinity"), "h1");
        _balance.World.Host("new");

        var first = _balance.Look();
        Assert.Equal("web1", Assert.Single(first).Replica.Spec.AppName);
        Assert.Empty(_balance.Look());

        _balance.Settle();
        Assert.Equal("web0 4: h1:2 new:2; web1 6: h1:3 new:3", _balance.ToString());
    }

    [Theory]
    [InlineData("rebalance: false")]
    [InlineData("MostAllocated")]
    [InlineData("paused")]
    [InlineData("nothing may be missing")]
    [InlineData("host selector")]
    [InlineData("taint")]
    [InlineData("cordon")]
    [InlineData("drain")]
    [InlineData("not ready")]
    [InlineData("flapping")]
    [InlineData("memory")]
    [InlineData("anti-affinity")]
    [InlineData("preferred host")]
    [InlineData("preferred host without room")]
    [InlineData("PreferNoSchedule")]
    public void What_the_app_or_the_host_says_against_it_holds(string what)
    {
        Settled(4, and: app => Say(app, what), "h1");
        var host = _balance.World.Host("new");
        switch (what)
        {
            case "taint":
                host.Spec.Taints = [new() { Key = "gpu", Effect = "NoSchedule" }];
                break;
            case "PreferNoSchedule":
                host.Spec.Taints = [new() { Key = "gpu", Effect = "PreferNoSchedule" }];
                break;
            case "cordon":
                host.Spec.Unschedulable = true;
                break;
            case "drain":
                host.Spec.Drain = true;
                break;
            case "not ready":
                _balance.SetHealth(host, false);
                break;
            case "flapping":
                host.Status!.Flapping = new() { Count = 3, Until = _balance.Time.GetUtcNow().UtcDateTime.AddHours(1) };
                break;
            case "memory":
                host.Status!.Capacity!["memory"] = new("512Mi");
                break;
            case "preferred host without room":
                _balance.World.Hosts[0].Status!.Capacity!["memory"] = new("4Gi");
                break;
            case "anti-affinity":
                Other();
                break;
        }

        _balance.Step();
        Assert.Empty(_balance.Look());
    }

    [Fact]
    public void Within_a_zone_replicas_move_although_the_zones_are_at_their_greatest_skew()
    {
        var app = Settled(7, and: app => app.Spec.Placement = new()
        {
            Spread = [new() { TopologyKey = "zone", MaxSkew = 1, WhenUnsatisfiable = UnsatisfiableActions.DoNotSchedule }],
        }, "a1/a", "b1/b");
        Assert.Equal("a1:4 b1:3", Sorted(app));
        var full = _balance.ReplicasOf(app).CountBy(replica => replica.Spec.HostName!).MaxBy(host => host.Value).Key;
        _balance.World.Host("new", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = full[..1] });

        _balance.Settle();

        Assert.Equal(2, _balance.ReplicasOf(app).Count(replica => replica.Spec.HostName == "new"));
    }

    /// <summary>Where the old one goes first, its host would be the emptiest again, and the new one would come back to it, for ever.</summary>
    [Theory]
    [InlineData("512Mi", true)]
    [InlineData("1536Mi", false)]
    public void With_LeastAllocated_a_replica_moves_to_what_is_emptier_than_its_host_without_it(string others, bool moves)
    {
        var app = SettledWithMemory("512Mi", 4, "h1");
        app.Spec.Placement = new() { Strategy = PlacementStrategies.LeastAllocated };
        app.Spec.Strategy = new() { Rolling = new() { MaxSurge = 0, MaxUnavailable = 1 } };
        _balance.World.Hosts[0].Status!.Capacity!["memory"] = new("32Gi");
        _balance.World.Host("h2", memory: "32Gi");
        _balance.World.Replica(_balance.World.App("other", memory: others), on: "h2");

        Assert.Equal(moves, _balance.Look().Count > 0);
    }

    [Fact]
    public void Of_apps_that_roll_out_scale_or_heal_nothing_moves()
    {
        var app = Settled(4, "h1");
        _balance.World.Host("new");
        _balance.World.Replicas[0].Status!.Ready = false;
        Assert.Empty(_balance.Look());

        _balance.World.Replicas[0].Status!.Ready = true;
        app.Spec.Image = "web:2";
        _balance.Starts = _ => false;
        _balance.Step();
        Assert.Empty(_balance.Look());

        app.Spec.Image = "web:1";
        app.Spec.Replicas = 6;
        _balance.Step();
        Assert.Empty(_balance.Look());
    }

    public static TheoryData<string, string> Interruptions => new()
    {
        { "the room is taken", "no host fits it any more: 0/2 hosts: 2 insufficient memory" },
        { "it does not start", "does not start on new: CrashLoopBackOff: exit code 1" },
        { "it is never ready", "no new replica was available in 600 s" },
        { "scaled", "the app was changed" },
        { "rolled out", "the app was changed" },
        { "another host is drained", "a host has to be left" },
        { "placed where it is no better", "the scheduler found no place for it that is any better" },
    };

    [Theory]
    [MemberData(nameof(Interruptions))]
    public void What_comes_in_between_ends_a_move_for_a_while(string what, string why)
    {
        var app = SettledWithMemory("1Gi", 3, "h1");
        app.Spec.Strategy = new() { Rolling = new() { MaxSurge = 1, MaxUnavailable = 0 } };
        _balance.World.Hosts[0].Status!.Capacity!["memory"] = new("4Gi");
        var host = _balance.World.Host("new", memory: "4Gi");
        var move = Assert.Single(_balance.Look());
        _balance.Starts = _ => false;
        switch (what)
        {
            case "the room is taken":
                host.Status!.Capacity!["memory"] = new("512Mi");
                _balance.World.Hosts[0].Status!.Capacity!["memory"] = new("3Gi");
                break;
            case "another host is drained":
                _balance.World.Replicas[0].Spec.HostName = "other";
                _balance.World.Host("other").Spec.Drain = true;
                break;
            case "placed where it is no better":
                _balance.SetHealth(host, false);
                break;
        }

        _balance.Step();
        switch (what)
        {
            case "it does not start":
                _balance.ReplicasOf(app)[^1].Status = new() { Phase = ReplicaPhases.BackOff, Reason = ReplicaView.CrashLoopBackOff, Message = "exit code 1" };
                break;
            case "it is never ready":
                _balance.Time.Advance(app.Spec.ProgressDeadline);
                break;
            case "scaled":
                app.Metadata.Generation = 2;
                break;
            case "rolled out":
                app.Spec.Image = "web:2";
                break;
        }

        _balance.Step();

        Assert.Equal(0, _balance.Moves.Count);
        Assert.Contains(move.Replica, _balance.World.Replicas);
        Assert.EndsWith(why, Assert.Single(_balance.Events, told => told.StartsWith("RebalancingStopped:", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.False(_balance.Moves.MayBegin(new("default", app.Metadata.Name)));
        _balance.Time.Advance(Moves.FirstHold);
        Assert.True(_balance.Moves.MayBegin(new("default", app.Metadata.Name)));
    }

    [Fact]
    public void Nobody_is_stopped_for_the_sake_of_evenness()
    {
        var app = SettledWithMemory("1Gi", 3, "h1");
        app.Spec.Priority = 100;
        _balance.World.Host("new", memory: "1Gi");
        Assert.NotEmpty(_balance.Look());
        Other();
        _balance.World.Hosts[0].Status!.Capacity!["memory"] = new("3Gi");

        _balance.Step();

        var made = _balance.ReplicasOf(app)[^1];
        Assert.Equal("0/2 hosts: 2 insufficient memory", made.Status!.Message);
    }

    /// <summary>An app that was placed on hosts, <c>name</c> or <c>name/zone</c>, and has come to rest.</summary>
    private WebApp Settled(int replicas, params string[] hosts) => Settled(replicas, and: null, hosts);

    private WebApp SettledWithMemory(string memory, int replicas, params string[] hosts) =>
        Settled(replicas, app => app.Spec.Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["memory"] = new(memory) } }, hosts);

    private WebApp Settled(int replicas, Action<WebApp>? and, params string[] hosts)
    {
        foreach (var words in hosts.Select(host => host.Split('/')).Where(words => !_balance.World.Hosts.Exists(host => host.Metadata.Name == words[0])))
        {
            _balance.World.Host(words[0], and: host => host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = words[^1] });
        }

        var app = _balance.World.App($"web{_balance.World.Apps.Count}");
        app.Metadata.Generation = 1;
        app.Spec.Replicas = replicas;
        and?.Invoke(app);
        for (var step = 0; step < 5; step++)
        {
            _balance.Step();
        }

        Assert.Equal(replicas, app.Status!.AvailableReplicas);
        return app;
    }

    /// <summary>Another app, which takes a gigabyte of the new host.</summary>
    private void Other()
    {
        var other = _balance.World.App("other", memory: "1Gi");
        other.Spec.Replicas = 1;
        _balance.World.Replica(other, on: "new", revision: RolloutTarget.Of(other).Run!).Status = new() { Ready = true };
    }

    private static void Say(WebApp app, string what)
    {
        app.Spec.Placement = what switch
        {
            "rebalance: false" => new() { Rebalance = false },
            "MostAllocated" => new() { Strategy = PlacementStrategies.MostAllocated },
            "host selector" => new() { HostSelector = new Dictionary<string, string> { ["zone"] = "h1" } },
            "anti-affinity" => new()
            {
                Affinity = new()
                {
                    AwayFromApps = new()
                    {
                        Required = [new() { TopologyKey = TopologyKeys.Hostname, LabelSelector = new() { MatchLabels = new Dictionary<string, string> { ["orchestrator.dev/app"] = "other" } } }],
                    },
                },
            },
            "preferred host" or "preferred host without room" => new()
            {
                Affinity = new()
                {
                    Hosts = new()
                    {
                        Preferred = [new() { Weight = 1, Preference = new() { MatchExpressions = [new() { Key = "zone", OperatorProperty = "In", Values = ["h1"] }] } }],
                    },
                },
            },
            _ => null,
        };
        app.Spec.Paused = what == "paused" ? true : null;
        if (what == "nothing may be missing")
        {
            app.Spec.Strategy = new() { Rolling = new() { MaxSurge = 0, MaxUnavailable = 1 } };
            app.Spec.Disruption = new() { MaxUnavailable = 0 };
        }

        if (what is "memory" or "preferred host without room")
        {
            app.Spec.Resources = new() { Requests = new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi") } };
        }
    }

    /// <summary>The counts, the greatest first, under the names in order: which of equal hosts has more is a hash's choice.</summary>
    private string Sorted(WebApp app)
    {
        var counts = _balance.ReplicasOf(app).CountBy(replica => replica.Spec.HostName!).ToList();
        return string.Join(' ', counts.Select(host => host.Key).Order().Zip(counts.Select(host => host.Value).OrderDescending(), (host, count) => $"{host}:{count}"));
    }
}
