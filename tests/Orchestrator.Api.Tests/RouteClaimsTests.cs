using k8s.Models;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class RouteClaimsTests
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Apps_with_different_hosts_paths_or_ports_do_not_meet()
    {
        WebApp[] apps =
        [
            App("a", 0, host: "x.org"), App("b", 0, host: "y.org"), App("c", 0, host: "x.org", path: "/shop"),
            App("d", 0, host: "x.org", port: 9090), App("e", 0),
        ];

        Assert.Empty(RouteClaims.Assign(apps).Lost);
    }

    [Fact]
    public void The_older_app_keeps_the_claim_and_the_younger_is_told_whose_it_is()
    {
        var (older, younger) = (App("z", 0, host: "x.org"), App("a", 1, host: "X.org", path: "//"));

        var claims = RouteClaims.Assign([younger, older]);

        var (claim, holder) = Assert.Single(claims.Lost[younger]);
        Assert.Same(older, holder);
        Assert.Equal("x.org/", claim.ToString());
        Assert.Same(older, claims.Holders[claim]);
    }

    [Fact]
    public void An_app_that_loses_one_host_is_still_served_at_its_others()
    {
        var (older, younger) = (App("a", 0, host: "x.org"), App("b", 1, host: "y.org"));
        younger.Spec.Route!.Hosts!.Add("x.org");

        var claims = RouteClaims.Assign([older, younger]);

        Assert.Same(younger, claims.Holders[new RouteClaim(null, "y.org", "/")]);
        Assert.Single(claims.Lost[younger]);
    }

    [Fact]
    public void An_app_that_is_being_deleted_gives_its_claim_up()
    {
        var (older, younger) = (App("a", 0, host: "x.org"), App("b", 1, host: "x.org"));
        older.Metadata.DeletionTimestamp = Noon;

        Assert.Empty(RouteClaims.Assign([older, younger]).Lost);
    }

    [Fact]
    public void Apps_of_one_second_are_ordered_by_namespace_and_name()
    {
        var (first, second) = (App("a", 0, host: "x.org"), App("b", 0, host: "x.org"));

        Assert.Same(second, Assert.Single(RouteClaims.Assign([second, first]).Lost).Key);
    }

    private static WebApp App(string name, int ageRank, string? host = null, string? path = null, int? port = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default", CreationTimestamp = Noon.AddMinutes(ageRank) },
        Spec = new WebAppSpec { Image = "web", Route = new Route { Hosts = host is null ? null : [host], Path = path, Port = port } },
    };
}
