using CsCheck;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.Scheduling;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

/// <summary>What holds for whatever hosts, apps and replicas there are.</summary>
public sealed class PlacementProperties
{
    [Fact]
    public void Nothing_is_overbooked_no_port_given_twice_no_limit_exceeded_and_nobody_left_waiting_who_fits() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        var world = Random(random);
        var decisions = world.Round();

        var waited = world.Replicas.Count(replica => decisions.Exists(decision => decision.Replica == replica));
        Assert.Equal(decisions.Count, waited);
        foreach (var host in world.Hosts)
        {
            var here = world.Replicas.Where(replica => replica.Spec.HostName == host.Metadata.Name).ToList();
            var snapshot = HostSnapshot.Of(host);
            Assert.True(here.Sum(replica => Needs.Of(replica.Spec.Template).Memory) <= (snapshot.Memory ?? long.MaxValue));
            Assert.Equal(here.Count, here.Select(replica => replica.Spec.HostPort).Distinct().Count());
            Assert.All(here, replica => Assert.InRange(replica.Spec.HostPort!.Value, snapshot.FirstPort, snapshot.LastPort));
            foreach (var app in world.Apps.Values.Where(app => app.Spec.Placement?.MaxReplicasPerHost is not null))
            {
                Assert.True(here.Count(replica => replica.Spec.AppName == app.Metadata.Name) <= app.Spec.Placement!.MaxReplicasPerHost);
            }

            Assert.True(here.Count == 0 || host.Spec.Unschedulable != true);
            Assert.DoesNotContain(here, replica => TermsOf(world, replica).Any(term => Near(world, term, host).Any(other => other != replica && IsMeant(term, other))));
        }

        // A second look at what did not fit finds the same: nothing that fitted was passed over.
        Assert.All(world.Round(), decision => Assert.IsType<Unfit>(decision));
    });

    [Fact]
    public void The_same_world_is_always_decided_the_same() => Gen.Int.Sample(seed =>
    {
        var (one, other) = (Random(new Random(seed)), Random(new Random(seed)));
        one.Round();
        other.Round();
        Assert.Equal(one.Replicas.Select(Place), other.Replicas.Select(Place));

        static (string?, int?) Place(Replica replica) => (replica.Spec.HostName, replica.Spec.HostPort);
    });

    [Fact]
    public void The_ranking_finds_what_a_look_at_every_host_finds() => Gen.Int.Sample(seed =>
    {
        var (ranked, scanned) = (Random(new Random(seed)), Random(new Random(seed)));
        ranked.Round();
        scanned.Round(new HostFinder(alwaysScan: true));
        Assert.Equal(
            scanned.Replicas.Select(replica => (replica.Metadata.Name, replica.Spec.HostName, replica.Spec.HostPort)),
            ranked.Replicas.Select(replica => (replica.Metadata.Name, replica.Spec.HostName, replica.Spec.HostPort)));
    });

    [Fact]
    public void Without_other_limits_a_hard_spread_is_never_off_by_more_than_its_skew() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        var world = new World();
        var zones = random.Next(1, 4);
        for (var i = 0; i < zones + random.Next(4); i++)
        {
            var zone = $"z{i % zones}";
            world.Host($"h{i}", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = zone });
        }

        var skew = random.Next(1, 3);
        var app = world.App("web", new Placement
        {
            Spread = [new SpreadConstraint { TopologyKey = "zone", MaxSkew = skew, WhenUnsatisfiable = UnsatisfiableActions.DoNotSchedule }],
        });
        for (var i = 0; i < random.Next(30); i++)
        {
            world.Replica(app);
        }

        world.Round();
        var zoneOf = world.Hosts.ToDictionary(host => host.Metadata.Name, host => host.Metadata.Labels["zone"]);
        var counts = Enumerable.Range(0, zones).Select(zone => world.Replicas.Count(replica => zoneOf[replica.Spec.HostName!] == $"z{zone}")).ToList();
        Assert.InRange(counts.Max() - counts.Min(), 0, skew);
    });

    private static IEnumerable<AppAffinityTerm> TermsOf(World world, Replica replica) =>
        world.Apps.Values.Single(app => app.Metadata.Name == replica.Spec.AppName).Spec.Placement?.Affinity?.AwayFromApps?.Required ?? [];

    private static IEnumerable<Replica> Near(World world, AppAffinityTerm term, DockerHost host) => world.Replicas.Where(replica =>
        world.Hosts.Find(other => other.Metadata.Name == replica.Spec.HostName) is { } other
        && HostSnapshot.Of(other).Label(term.TopologyKey) == HostSnapshot.Of(host).Label(term.TopologyKey));

    private static bool IsMeant(AppAffinityTerm term, Replica replica) => term.LabelSelector!.MatchLabels["orchestrator.dev/app"] == replica.Spec.AppName;

    internal static World Random(Random random)
    {
        var world = new World();
        var hosts = random.Next(10);
        for (var i = 0; i < hosts; i++)
        {
            world.Host($"h{i}", memory: $"{random.Next(1, 8)}Gi", and: host =>
            {
                host.Spec.Unschedulable = random.Next(5) == 0;
                host.Spec.PortRange = new PortRange { First = 20000, Last = 20000 + random.Next(12) };
                host.Metadata.Labels = new Dictionary<string, string> { ["zone"] = $"z{random.Next(3)}", [random.Next(3) == 0 ? "shelf" : "rack"] = $"r{random.Next(2)}" };
            });
        }

        for (var i = 0; i < random.Next(1, 4); i++)
        {
            var placement = random.Next(2) == 0 ? null : RandomPlacement(random);
            var app = world.App($"app{i}", placement, memory: random.Next(3) == 0 ? null : $"{random.Next(1, 2000)}Mi");
            for (var n = 0; n < random.Next(12); n++)
            {
                world.Replica(app);
            }
        }

        return world;
    }

    private static Placement RandomPlacement(Random random) => new()
    {
        MaxReplicasPerHost = random.Next(1, 4),
        Strategy = random.GetItems<string?>([null, PlacementStrategies.LeastAllocated, PlacementStrategies.MostAllocated], 1)[0],
        Spread = random.Next(2) == 0 ? null : [.. random.GetItems<string>(["zone", "rack", TopologyKeys.Hostname], random.Next(1, 3)).Distinct().Select(key => new SpreadConstraint
        {
            TopologyKey = key,
            MaxSkew = random.Next(1, 3),
            WhenUnsatisfiable = random.Next(2) == 0 ? UnsatisfiableActions.DoNotSchedule : UnsatisfiableActions.ScheduleAnyway,
        })],
        Affinity = random.Next(2) == 0 ? null : new()
        {
            Hosts = new() { Preferred = [new() { Weight = random.Next(1, 100), Preference = Term("zone", $"z{random.Next(3)}") }] },
            AwayFromApps = new()
            {
                Required = random.Next(2) == 0 ? null : [Away(random)],
                Preferred = [new() { Weight = random.Next(1, 100), Term = Away(random) }],
            },
        },
    };

    private static HostSelectorTerm Term(string key, string value) => new() { MatchExpressions = [new() { Key = key, OperatorProperty = "In", Values = [value] }] };

    private static AppAffinityTerm Away(Random random) => new()
    {
        TopologyKey = random.Next(2) == 0 ? "zone" : TopologyKeys.Hostname,
        LabelSelector = new() { MatchLabels = new Dictionary<string, string> { ["orchestrator.dev/app"] = $"app{random.Next(4)}" } },
    };
}
