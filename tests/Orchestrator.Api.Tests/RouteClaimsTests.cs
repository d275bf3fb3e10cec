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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_port_is_for_tcp_or_for_requests_as_the_oldest_app_that_names_it_wants(bool tcpIsOldest)
    {
        var (shop, blog, elsewhere) = (App("shop", 1, host: "x.org", port: 9090), App("blog", 2, host: "y.org", port: 9090), App("other", 3, host: "x.org"));
        var redis = App("redis", tcpIsOldest ? 0 : 4, port: 9090);
        redis.Spec.Route!.Protocol = ReplicaProtocols.Tcp;

        var claims = RouteClaims.Assign([shop, blog, elsewhere, redis]);

        Assert.Equal(tcpIsOldest ? ["redis", "other"] : ["shop", "blog", "other"], claims.Held.Select(held => held.App.Metadata.Name));
        Assert.Equal(
            tcpIsOldest ? ["x.org:9090/ to redis", "y.org:9090/ to redis"] : ["tcp:9090 to shop"],
            claims.Lost.Values.SelectMany(lost => lost).Select(lost => $"{lost.Claim} to {lost.Holder.Metadata.Name}").Order());
    }

    [Fact]
    public void Two_apps_that_want_one_port_for_tcp_conflict_whatever_else_their_routes_say()
    {
        var (first, second) = (App("a", 0, port: 9090), App("b", 1, host: "x.org", port: 9090));
        first.Spec.Route!.Protocol = second.Spec.Route!.Protocol = ReplicaProtocols.Tcp;

        var claims = RouteClaims.Assign([first, second]);

        Assert.Equal(RouteClaim.Tcp(9090), Assert.Single(claims.Lost[second]).Claim);
        Assert.Same(first, claims.Holders[RouteClaim.Tcp(9090)]);
    }

    [Fact]
    public void Apps_of_one_second_are_ordered_by_namespace_and_name()
    {
        var (first, second) = (App("a", 0, host: "x.org"), App("b", 0, host: "x.org"));

        Assert.Same(second, Assert.Single(RouteClaims.Assign([second, first]).Lost).Key);
    }

    [Fact]
    public void What_routes_ask_of_a_request_beside_host_and_path_keeps_them_apart()
    {
        var get = new RouteMatch { Methods = ["GET", "HEAD"] };
        var canary = new RouteMatch { Headers = [new HeaderMatch { Name = "X-Canary", Value = "yes" }] };
        WebApp[] apps = [App("a", 0, host: "x.org"), App("b", 1, host: "x.org"), App("c", 2, host: "x.org"), App("d", 3, host: "x.org")];
        (apps[1].Spec.Route!.Match, apps[2].Spec.Route!.Match, apps[3].Spec.Route!.PathType) = (get, canary, PathTypes.Exact);

        Assert.Empty(RouteClaims.Assign(apps).Lost);
    }

    [Fact]
    public void Matches_that_say_the_same_in_another_order_conflict()
    {
        var (older, younger) = (App("a", 0, host: "x.org"), App("b", 1, host: "x.org"));
        older.Spec.Route!.Match = new RouteMatch
        {
            Methods = ["HEAD", "GET"],
            Headers = [new HeaderMatch { Name = "X-A", Value = "1" }, new HeaderMatch { Name = "X-B", Type = HeaderMatchTypes.RegularExpression, Value = "a:b;c" }],
        };
        younger.Spec.Route!.Match = new RouteMatch
        {
            Methods = ["GET", "HEAD"],
            Headers = [new HeaderMatch { Name = "x-b", Type = HeaderMatchTypes.RegularExpression, Value = "a:b;c" }, new HeaderMatch { Name = "x-a", Type = HeaderMatchTypes.Exact, Value = "1" }],
        };

        var (claim, holder) = Assert.Single(RouteClaims.Assign([younger, older]).Lost[younger]);
        Assert.Same(older, holder);
        Assert.Equal("x.org/ [GET HEAD x-a=1 x-b~a%3Ab%3Bc]", claim.ToString());
    }

    [Fact]
    public void A_match_that_says_nothing_is_none()
    {
        var (older, younger) = (App("a", 0, host: "x.org"), App("b", 1, host: "x.org"));
        younger.Spec.Route!.Match = new RouteMatch { Methods = [] };

        Assert.Single(RouteClaims.Assign([older, younger]).Lost);
    }

    [Fact]
    public void Long_matches_are_shown_in_part_and_still_told_apart()
    {
        var (one, other) = (new RouteClaim(null, null, "/", Match: new string('x', 300) + "1"), new RouteClaim(null, null, "/", Match: new string('x', 300) + "2"));

        Assert.NotEqual(one.ToString(), other.ToString());
        Assert.InRange(one.ToString().Length, 100, 150);
    }

    [Fact]
    public void Redirects_claim_their_hosts_and_paths()
    {
        var app = App("a", 0, host: "x.org", path: "/shop/");
        app.Spec.Route!.Redirects =
        [
            new RouteRedirect { Hosts = ["www.x.org"], To = "https://x.org" },
            new RouteRedirect { Path = "/old", PathType = PathTypes.Exact, To = "/shop" },
        ];
        var rival = App("b", 1, host: "www.x.org");

        var claims = RouteClaims.Assign([rival, app]);

        Assert.Equal(["x.org/shop", "www.x.org/", "x.org/old (exact)"], Assert.Single(claims.Held).Claims.Select(claim => claim.ToString()));
        Assert.Equal("www.x.org/", Assert.Single(claims.Lost[rival]).Claim.ToString());
    }

    private static WebApp App(string name, int ageRank, string? host = null, string? path = null, int? port = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "default", CreationTimestamp = Noon.AddMinutes(ageRank) },
        Spec = new WebAppSpec { Image = "web", Route = new Route { Hosts = host is null ? null : [host], Path = path, Port = port } },
    };
}
