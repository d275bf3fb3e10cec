using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.Tests.Scheduling;

/// <summary>Which hosts, and which company, an app wants: by labels.</summary>
public sealed class AffinityTests
{
    private readonly World _world = new();

    [Theory]
    [InlineData("In", "a", true, "a", "b")]
    [InlineData("In", "c", false, "a", "b")]
    [InlineData("In", null, false, "a")]
    [InlineData("NotIn", "c", true, "a", "b")]
    [InlineData("NotIn", "b", false, "a", "b")]
    [InlineData("NotIn", null, true, "a")]
    [InlineData("Exists", "", true)]
    [InlineData("Exists", null, false)]
    [InlineData("DoesNotExist", null, true)]
    [InlineData("DoesNotExist", "a", false)]
    [InlineData("Gt", "10", true, "9")]
    [InlineData("Gt", "9", false, "9")]
    [InlineData("Gt", "-1", true, "-2")]
    [InlineData("Lt", "9", true, "10")]
    [InlineData("Lt", "10", false, "9")]
    [InlineData("Lt", "many", false, "9")]
    [InlineData("Gt", null, false, "9")]
    public void An_operator_holds_or_not(string @operator, string? label, bool fits, params string[] values)
    {
        _world.Host("h", and: host => host.Metadata.Labels = label is null ? null : Label("key", label));
        var placement = Required(Term(Expression("key", @operator, values)));

        Assert.Equal(fits ? "h" : "0/1 hosts: 1 not matching the host affinity", _world.Place(_world.App("web", placement)));
    }

    [Fact]
    public void One_term_is_enough_but_all_of_its_expressions_and_one_without_any_matches_nothing()
    {
        _world.Host("a", and: host => host.Metadata.Labels = Label("disk", "ssd"));
        _world.Host("b", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["disk"] = "hdd", ["zone"] = "x" });

        Assert.Equal("b", _world.Place(_world.App("web", Required(
            new HostSelectorTerm(),
            Term(Expression("disk", "In", "ssd"), Expression("zone", "Exists")),
            Term(Expression("disk", "In", "hdd"), Expression("zone", "In", "x"))))));
        Assert.Equal("0/2 hosts: 2 not matching the host affinity", _world.Place(_world.App("shop", Required(new HostSelectorTerm()))));
    }

    [Theory]
    [InlineData("kubernetes.io/hostname", "b")]
    [InlineData("kubernetes.io/arch", "arm64")]
    public void Name_and_architecture_are_labels_that_need_not_be_set(string key, string value)
    {
        _world.Host("a", and: host => host.Status!.Architecture = "amd64");
        _world.Host("b", and: host => host.Status!.Architecture = "arm64");

        Assert.Equal("b", _world.Place(_world.App("web", Required(Term(Expression(key, "In", value))))));
        Assert.Equal("b", _world.Place(_world.App("shop", new Placement { HostSelector = Label(key, value) })));
    }

    [Fact]
    public void An_image_goes_only_where_it_is_made_for()
    {
        _world.Host("a", and: host => host.Status!.Architecture = "riscv64");
        _world.Host("b");
        var app = _world.App("web", new Placement { Architectures = ["amd64", "arm64"] });

        Assert.Equal("0/2 hosts: 1 of architecture riscv64, which the image is not made for, 1 of unknown architecture", _world.Place(app));
        _world.Host("c", and: host => host.Status!.Architecture = "arm64");
        Assert.Equal("c", _world.Place(app));
    }

    [Fact]
    public void What_is_preferred_goes_before_an_even_spread_until_it_is_full()
    {
        _world.Host("plain", memory: "8Gi");
        _world.Host("good", memory: "2Gi", and: host => host.Metadata.Labels = Label("disk", "ssd"));
        _world.Host("best", memory: "1Gi", and: host => host.Metadata.Labels = new Dictionary<string, string> { ["disk"] = "ssd", ["zone"] = "x" });
        var app = _world.App("web", memory: "1Gi", placement: new()
        {
            Affinity = new()
            {
                Hosts = new()
                {
                    Preferred =
                    [
                        new() { Weight = 1, Preference = Term(Expression("zone", "In", "x")) },
                        new() { Weight = 100, Preference = Term(Expression("disk", "In", "ssd")) },
                    ],
                },
            },
        });

        Assert.Equal([0, 1, 101], _world.Explain(app).Hosts.Select(host => (int)host.Score["unmet"]!));
        Assert.Equal(["best", "good", "good", "plain"], Enumerable.Range(0, 4).Select(_ => _world.Place(app)));
    }

    [Fact]
    public void Apps_are_kept_apart_by_the_wish_of_either()
    {
        Zones(("a", "x"), ("b", "x"), ("c", "y"));
        var quiet = _world.App("quiet", KeepAway("zone", "noisy"));
        _world.Replica(_world.App("noisy"), on: "a");

        Assert.Equal("c", _world.Place(quiet));
        Assert.Equal("0/3 hosts: 2 at the limit of 1 replicas a host, 1 in the zone of app quiet, which keeps away from it", _world.Place(Noisy(limit: 1, on: "b")));
        var calm = _world.App("calm", KeepAway("zone", "noisy"));
        calm.Spec.Placement!.HostSelector = Label("zone", "x");
        Assert.Equal("0/3 hosts: 2 in the zone of app noisy, from which it keeps away, 1 not matching the host selector", _world.Place(calm));
    }

    [Fact]
    public void Apps_that_come_in_one_round_are_kept_apart_too_whoever_is_first()
    {
        Zones(("a", "x"), ("b", "y"));
        var (noisy, quiet) = (_world.App("noisy"), _world.App("quiet", KeepAway("zone", "noisy")));
        var (one, other) = (_world.Replica(noisy), _world.Replica(quiet));
        var late = _world.Replica(noisy);
        _world.Round();

        Assert.NotEqual(one.Spec.HostName, other.Spec.HostName);
        Assert.Equal(one.Spec.HostName, late.Spec.HostName);
    }

    [Fact]
    public void An_app_that_keeps_away_from_itself_has_one_replica_a_domain_and_can_still_be_updated()
    {
        Zones(("a", "x"), ("b", "x"), ("c", "y"));
        var app = _world.App("web", KeepAway("zone", "web"));

        var first = new[] { _world.Place(app), _world.Place(app) };

        Assert.Single(first, "c");
        Assert.Equal("0/3 hosts: 3 in the zone of another of its replicas, from which it keeps away", _world.Place(app));
        Assert.DoesNotContain("hosts:", _world.Place(app, revision: "r2"), StringComparison.Ordinal);
    }

    [Fact]
    public void Apps_of_other_namespaces_are_meant_only_where_they_are_named()
    {
        _world.Host("a");
        var noisy = _world.App("noisy");
        noisy.Metadata.NamespaceProperty = "other";
        _world.Replica(noisy, on: "a");

        Assert.Equal("a", _world.Place(_world.App("near", KeepAway("kubernetes.io/hostname", "noisy"))));
        Assert.Equal(
            "0/1 hosts: 1 with app noisy, from which it keeps away", _world.Place(_world.App("far", KeepAway("kubernetes.io/hostname", "noisy", "other"))));
    }

    [Fact]
    public void Apps_are_selected_by_their_labels_and_a_host_without_the_key_is_near_nobody()
    {
        Zones(("a", "x"), ("b", "x"));
        _world.Host("c");
        var noisy = _world.App("noisy");
        noisy.Metadata.Labels = Label("tier", "batch");
        _world.Replica(noisy, on: "a");
        _world.Replica(noisy, on: "c");
        var selector = new V1LabelSelector { MatchExpressions = [new() { Key = "tier", OperatorProperty = "In", Values = ["batch"] }] };

        Assert.Equal("c", _world.Place(_world.App("web", Away(new AppAffinityTerm { TopologyKey = "zone", LabelSelector = selector }))));
        Assert.DoesNotContain("hosts:", _world.Place(_world.App("none", Away(new AppAffinityTerm { TopologyKey = "zone" }))), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_it_is_only_preferred_fewer_of_them_are_better()
    {
        Zones(("a", "x"), ("b", "y"));
        var noisy = _world.App("noisy");
        foreach (var host in new[] { "a", "a", "b" })
        {
            _world.Replica(noisy, on: host);
        }

        var app = _world.App("web", new Placement
        {
            Affinity = new() { AwayFromApps = new() { Preferred = [new() { Weight = 10, Term = Named("zone", "noisy") }] } },
        });

        Assert.Equal([("b", 10d), ("a", 20d)], _world.Explain(app).Hosts.Select(host => (host.Name, host.Score["unmet"]!.Value)));
        Assert.Equal("b", _world.Place(app));
    }

    // Only the placements of its own revision count, in one round as between rounds.
    [Fact]
    public void Another_revision_in_the_same_round_does_not_count_for_the_spread()
    {
        Zones(("a", "x"), ("b", "y"));
        _world.Hosts[1].Status!.Capacity!["memory"] = new("512Mi");
        _world.Replica(_world.App("other"), on: "b");
        var app = _world.App("web", new Placement { Spread = [new SpreadConstraint { TopologyKey = "zone", WhenUnsatisfiable = UnsatisfiableActions.DoNotSchedule }] });
        var old = _world.Replica(app, revision: "old");
        _world.App("web", app.Spec.Placement, memory: "1Gi");
        var @new = _world.Replica(_world.Apps.Values.Single(one => one.Metadata.Name == "web"), revision: "new");

        _world.Round();

        Assert.Equal(("a", "a"), (old.Spec.HostName, @new.Spec.HostName));
    }

    [Fact]
    public void What_a_host_keeps_for_itself_is_given_to_nobody()
    {
        _world.Host("a", memory: "2Gi", and: host => host.Spec.Reserved = new Dictionary<string, ResourceQuantity> { ["memory"] = new("1Gi"), ["cpu"] = new("1") });
        var app = _world.App("web", memory: "1Gi", cpu: "8");

        Assert.Equal("a", _world.Place(app));
        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Place(app));
    }

    [Fact]
    public void A_host_that_keeps_more_than_it_has_takes_nothing_that_requests_some()
    {
        _world.Host("a", memory: "1Gi", and: host => host.Spec.Reserved = new Dictionary<string, ResourceQuantity> { ["memory"] = new("2Gi") });

        Assert.Equal("0/1 hosts: 1 insufficient memory", _world.Place(_world.App("web", memory: "1Mi")));
        Assert.Equal("a", _world.Place(_world.App("modest")));
    }

    private WebApp Noisy(int limit, string on)
    {
        var app = _world.App("noisy", new Placement { MaxReplicasPerHost = limit });
        _world.Replica(app, on: on);
        return app;
    }

    private void Zones(params (string Host, string Zone)[] hosts)
    {
        foreach (var (name, zone) in hosts)
        {
            _world.Host(name, and: host => host.Metadata.Labels = Label("zone", zone));
        }
    }

    private static Dictionary<string, string> Label(string key, string value) => new() { [key] = value };

    private static Placement Required(params HostSelectorTerm[] terms) => new() { Affinity = new() { Hosts = new() { Required = new() { Terms = terms } } } };

    private static HostSelectorTerm Term(params V1NodeSelectorRequirement[] expressions) => new() { MatchExpressions = expressions };

    private static V1NodeSelectorRequirement Expression(string key, string @operator, params string[] values) =>
        new() { Key = key, OperatorProperty = @operator, Values = values };

    private static Placement KeepAway(string topologyKey, string app, params string[] namespaces) => Away(Named(topologyKey, app, namespaces));

    private static Placement Away(AppAffinityTerm term) => new() { Affinity = new() { AwayFromApps = new() { Required = [term] } } };

    private static AppAffinityTerm Named(string topologyKey, string app, params string[] namespaces) => new()
    {
        TopologyKey = topologyKey,
        Namespaces = namespaces,
        LabelSelector = new() { MatchLabels = Label("orchestrator.dev/app", app) },
    };
}
