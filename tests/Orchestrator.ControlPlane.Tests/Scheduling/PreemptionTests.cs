using CsCheck;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

/// <summary>Who goes first, and who has to make room.</summary>
public sealed class PreemptionTests
{
    private readonly World _world = new();

    [Fact]
    public void The_more_important_is_placed_first_and_of_equals_the_older()
    {
        _world.Host("a", memory: "2Gi");
        var (low, older, younger, high) = (App("low", -1), App("older", 0), App("younger", 0), App("high", 1));
        foreach (var app in new[] { low, older, younger, high })
        {
            _world.Replica(app);
        }

        _world.Round();

        Assert.Equal(["high", "older"], Bound().Order());
    }

    [Fact]
    public void Where_there_is_no_room_the_least_important_makes_it()
    {
        foreach (var (host, priority) in new[] { ("a", 5), ("b", 3), ("c", 4) })
        {
            _world.Host(host, memory: "1Gi");
            Serving(App($"app-{host}", priority), host);
        }

        var unfit = Preempting(App("web", 10));

        Assert.Equal(("b", 10), (unfit.MakesRoom!.Host, unfit.MakesRoom.Priority));
        Assert.Equal(["app-b"], Victims(unfit));
        Assert.Equal("0/3 hosts: 3 insufficient memory; takes the place of app-b-r1-00001 on b", unfit.Message);
    }

    [Fact]
    public void One_that_is_still_to_be_created_cannot_be_stopped()
    {
        _world.Host("a", memory: "1Gi");
        Serving(App("low", 1), "a").Metadata.Uid = "to-be-created/default/low";

        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Place(App("web", 10)));
    }

    [Fact]
    public void Of_equally_important_ones_the_fewest()
    {
        _world.Host("a", memory: "2Gi");
        _world.Host("b", memory: "2Gi");
        Serving(App("half", 0), "a");
        Serving(App("other", 0), "a");
        Serving(App("whole", 0, memory: "2Gi"), "b");

        Assert.Equal(["whole"], Victims(Preempting(App("web", 1, memory: "2Gi"))));
    }

    [Fact]
    public void Only_as_many_as_needed_and_the_more_important_stays()
    {
        _world.Host("a", memory: "3Gi");
        foreach (var (name, priority) in new[] { ("least", 1), ("more", 2), ("most", 3) })
        {
            Serving(App(name, priority), "a");
        }

        Assert.Equal(["least"], Victims(Preempting(App("web", 10))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Nobody_makes_room_for_one_that_is_not_more_important(int priority)
    {
        _world.Host("a", memory: "1Gi");
        Serving(App("other", 1), "a");

        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Place(App("web", priority)));
    }

    [Fact]
    public void Nobody_goes_where_that_would_not_help()
    {
        _world.Host("a", memory: "1Gi");
        _world.Host("b", memory: "8Gi", and: host => host.Spec.Unschedulable = true);
        Serving(App("small", 0), "a");
        Serving(App("far", 0), "b");

        Assert.Equal("0/2 hosts: 1 cordoned, 1 insufficient memory", _world.Place(App("web", 10, memory: "2Gi")));
    }

    [Fact]
    public void A_limit_or_a_distance_is_no_room_that_others_could_make()
    {
        _world.Host("a", memory: "1Gi");
        var web = App("web", 10, memory: null);
        web.Spec.Placement = new() { MaxReplicasPerHost = 1 };
        Serving(web, "a");
        Serving(App("other", 0), "a");

        Assert.Equal("0/1 hosts: 1 at the limit of 1 replicas a host", _world.Place(web));
    }

    [Fact]
    public void An_app_never_goes_below_its_limit_but_what_does_not_serve_may_go()
    {
        _world.Host("a", memory: "2Gi");
        var kept = App("kept", 0, replicas: 2);
        kept.Spec.Disruption = new() { MinAvailable = "100%" };
        Serving(kept, "a");
        var second = Serving(kept, "a");
        var web = App("web", 10);
        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Explain(web).Message);

        second.Status!.Ready = false;

        Assert.Equal([second], Preempting(web).MakesRoom!.Victims);
    }

    [Fact]
    public void The_limit_holds_over_all_that_one_round_stops()
    {
        _world.Host("a", memory: "1Gi");
        _world.Host("b", memory: "1Gi");
        var victim = App("victim", 0, replicas: 2);
        Serving(victim, "a");
        Serving(victim, "b");
        var web = App("web", 10);
        _world.Replica(web);
        _world.Replica(web);

        Assert.Single(_world.Round().OfType<Unfit>(), unfit => unfit.MakesRoom is not null);
    }

    [Fact]
    public void What_is_being_stopped_already_is_waited_for_and_its_room_kept()
    {
        _world.Host("a", memory: "2Gi");
        var low = App("low", 0);
        _world.Replica(low, on: "a", leaving: true);
        var (web, late) = (_world.Replica(App("web", 10, memory: "2Gi")), _world.Replica(low));

        var decisions = _world.Round();

        var waits = (Unfit)decisions.Single(decision => decision.Replica == web);
        Assert.Equal("0/1 hosts: 1 insufficient memory; waits for what is being stopped on a", waits.Message);
        Assert.Empty(waits.MakesRoom!.Victims);
        Assert.Null(late.Spec.HostName);
    }

    [Fact]
    public void One_that_was_told_to_go_is_not_told_again()
    {
        _world.Host("a", memory: "2Gi");
        var low = App("low", 0, replicas: 2);
        var (first, _) = (Serving(low, "a"), Serving(low, "a"));
        _world.Leaving.Add(first.Metadata.Uid);

        Assert.Empty(Preempting(App("web", 10)).MakesRoom!.Victims);
    }

    [Fact]
    public void Room_that_is_being_made_for_one_is_given_to_no_other()
    {
        _world.Host("a", memory: "2Gi");
        var low = App("low", 0);
        Serving(low, "a");
        _world.Promised.Add((_world.Replica(App("web", 10, memory: "2Gi")), "a"));

        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Place(low));
    }

    [Fact]
    public void A_port_is_room_too()
    {
        _world.Host("a", and: host => host.Spec.PortRange = new PortRange { First = 20000, Last = 20000 });
        var low = App("low", 0, memory: null);
        Serving(low, "a", port: 20000);

        Assert.Equal(["low"], Victims(Preempting(App("web", 1, memory: null))));
    }

    [Fact]
    public void The_explanation_says_who_would_go_and_stops_nobody()
    {
        _world.Host("a", memory: "1Gi");
        Serving(App("low", 0), "a");

        Assert.Equal("0/1 hosts: 1 insufficient memory; takes the place of low-r1-00000 on a", _world.Explain(App("web", 1)).Message);
    }

    [Fact]
    public void Never_one_as_important_never_in_vain_never_more_than_needed_never_below_a_limit() => Gen.Int.Sample(seed =>
    {
        var world = Random(new Random(seed));
        var servedBefore = world.Apps.Values.ToDictionary(app => app, app => Serving(world, app));
        var decisions = world.Round();

        var gone = new HashSet<Replica>();
        foreach (var unfit in decisions.OfType<Unfit>().Where(unfit => unfit.MakesRoom is not null))
        {
            var (room, needed) = (unfit.MakesRoom!, Memory(unfit.Replica));
            Assert.All(room.Victims, victim => Assert.True(Priority(world, victim) < room.Priority));
            Assert.All(room.Victims, victim => Assert.True(victim.Spec.HostName == room.Host && gone.Add(victim)));
        }

        foreach (var host in world.Hosts)
        {
            var coming = decisions.OfType<Unfit>().Where(unfit => unfit.MakesRoom?.Host == host.Metadata.Name).ToList();
            var staying = world.Replicas.Where(replica => replica.Spec.HostName == host.Metadata.Name && !gone.Contains(replica)).Sum(Memory);
            var free = HostSnapshot.Of(host).Memory!.Value - staying - coming.Sum(unfit => Memory(unfit.Replica));
            Assert.True(coming.Count == 0 || free >= 0);

            // The last one found all that the others had made: put back any of its victims, and it would not fit.
            Assert.All(coming.Count == 0 ? [] : coming[^1].MakesRoom!.Victims, victim => Assert.True(Memory(victim) > free));
        }

        foreach (var (app, before) in servedBefore)
        {
            var least = app.DesiredReplicas - DisruptionLimits.MaxUnavailable(app);
            Assert.True(before - gone.Count(replica => replica.Spec.AppName == app.Metadata.Name && replica.Status?.Ready == true) >= Math.Min(before, least));
        }
    });

    private static World Random(Random random)
    {
        var world = new World();
        var hosts = random.Next(1, 5);
        for (var i = 0; i < hosts; i++)
        {
            world.Host($"h{i}", memory: $"{random.Next(1, 6)}Gi");
        }

        for (var i = 0; i < 5; i++)
        {
            var app = world.App($"app{i}", memory: $"{random.Next(1, 2500)}Mi");
            app.Spec.Replicas = random.Next(1, 6);
            app.Spec.Disruption = random.Next(2) == 0 ? null : new() { MaxUnavailable = random.GetItems<string>(["0", "1", "50%", "100%"], 1)[0] };
            for (var n = 0; n < app.Spec.Replicas; n++)
            {
                world.Replica(app);
            }
        }

        // All were alike when they came: what is bound is not what matters most.
        world.Round();
        foreach (var replica in world.Replicas.Where(replica => replica.Spec.HostName is not null))
        {
            replica.Status = new() { Ready = random.Next(4) > 0 };
        }

        foreach (var app in world.Apps.Values)
        {
            app.Spec.Priority = random.Next(3);
        }

        return world;
    }

    private static int Serving(World world, WebApp app) => world.Replicas.Count(replica => replica.Spec.AppName == app.Metadata.Name && replica.Status?.Ready == true);

    private static int Priority(World world, Replica replica) => world.Apps.Values.Single(app => app.Metadata.Name == replica.Spec.AppName).Spec.Priority!.Value;

    private static long Memory(Replica replica) => Needs.Of(replica.Spec.Template).Memory;

    private WebApp App(string name, int priority, string? memory = "1Gi", int replicas = 1)
    {
        var app = _world.App(name, memory: memory);
        (app.Spec.Priority, app.Spec.Replicas) = (priority, replicas);
        return app;
    }

    private Replica Serving(WebApp app, string on, int? port = null)
    {
        var replica = _world.Replica(app, on: on, port: port);
        replica.Status = new() { Ready = true };
        return replica;
    }

    private Unfit Preempting(WebApp app)
    {
        var replica = _world.Replica(app);
        var unfit = Assert.IsType<Unfit>(_world.Round().Single(decision => decision.Replica == replica));
        Assert.NotNull(unfit.MakesRoom);
        return unfit;
    }

    private static IEnumerable<string> Victims(Unfit unfit) => unfit.MakesRoom!.Victims.Select(victim => victim.Spec.AppName);

    private IEnumerable<string> Bound() => _world.Replicas.Where(replica => replica.Spec.HostName is not null).Select(replica => replica.Spec.AppName);
}
