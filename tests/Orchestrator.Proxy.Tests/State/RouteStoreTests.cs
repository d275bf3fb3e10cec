using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.State;
using Orchestrator.Runtime;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.State;

public sealed class RouteStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Routes _routes = new(8080, new SharedRandom(1), TimeProvider.System);

    [Fact]
    public void What_was_saved_is_loaded()
    {
        AppRoute[] saved =
        [
            new(
                new ObjectKey("default", "web"),
                new Route { Balancing = BalancingPolicies.RoundRobin, SlowStartSeconds = 7 },
                [new RouteClaim(null, "a.example.org", "/"), new RouteClaim(9090, null, "/x")],
                [new EndpointId("uid-1", "10.0.0.1", 20000), new EndpointId("uid-2", "fd00::1", 20001)]),
            new(
                new ObjectKey("default", "canary"),
                new Route { Limits = new() { RequestsPerReplica = 3 } },
                [new RouteClaim(null, "c.example.org", "/")],
                [new EndpointId("uid-3", "10.0.0.1", 20002, "r1"), new EndpointId("uid-4", "10.0.0.2", 20000, "r2", "zone-b")],
                new Traffic(new TrafficSplit("r1", 10), Canary: null),
                "uid-of-canary"),
            new(new ObjectKey("shop", "web"), new Route(), [new RouteClaim(null, null, "/")], []),
            new(
                new ObjectKey("shop", "ruled"),
                new Route
                {
                    Match = new RouteMatch { Methods = ["GET"], Headers = [new HeaderMatch { Name = "x", Value = "1" }] },
                    Rewrite = new RouteRewrite { Path = "/", Host = "inner" },
                    RequestHeaders = new HeaderEdits { Set = [new HeaderValue { Name = "a", Value = "b" }], Remove = ["c"] },
                    Redirects = [new RouteRedirect { Hosts = ["www.example.org"], To = "https://example.org", Status = 301 }],
                },
                [new RouteClaim(null, null, "/", Exact: true, "GET x=1")],
                []),
            new(
                new ObjectKey("shop", "redis"),
                new Route { Protocol = ReplicaProtocols.Tcp, Port = 6379, Timeouts = new() { IdleSeconds = 9 } },
                [RouteClaim.Tcp(6379)],
                [new EndpointId("uid-5", "10.0.0.1", 20005)]),
        ];
        _routes.ReplaceAll(saved);

        Store("new/folder").Save(_routes.Table);

        var loaded = Store("new/folder").Load();
        Assert.Equal(saved.Select(Flat), loaded.Select(Flat));
        Assert.All(saved.Zip(loaded), pair => Assert.True(AppPolicy.AreSame(pair.First.Route, pair.Second.Route)));
        Assert.Equal(["routes.json"], Directory.GetFiles(_folder["new/folder"]).Select(Path.GetFileName));
    }

    [Fact]
    public void The_file_of_a_proxy_that_knew_no_revisions_is_loaded()
    {
        var store = Store("state");
        Directory.CreateDirectory(_folder["state"]);
        File.WriteAllText(
            store.Path,
            """{"version":1,"apps":[{"namespace":"d","name":"w","claims":[{"path":"/"}],"endpoints":[{"uid":"u","address":"10.0.0.1","port":80}]}]}""");

        var loaded = Assert.Single(store.Load());

        Assert.Equal([new EndpointId("u", "10.0.0.1", 80)], loaded.Endpoints);
        Assert.Equal(default, loaded.Traffic);
    }

    [Fact]
    public void No_file_is_no_routes() => Assert.Empty(Store("nothing").Load());

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{\"version\":1,\"apps\":[{\"name\":")]
    [InlineData("{\"version\":1}")]
    [InlineData("{\"version\":1,\"apps\":null}")]
    [InlineData("{\"version\":1,\"apps\":[null]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[{}],\"endpoints\":[]}]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[{\"uid\":\"u\",\"address\":\"\",\"port\":80}]}]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[{\"uid\":\"u\",\"address\":\"10.0.0.1\",\"port\":0}]}]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[{\"path\":\"x\"}],\"endpoints\":[]}]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"split\":{\"stable\":\"r1\"}}]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"split\":{\"stable\":\"\",\"othersPercent\":1}}]}")]
    [InlineData("{\"version\":1,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"split\":{\"stable\":\"r1\",\"othersPercent\":101}}]}")]
    [InlineData("{\"version\":4,\"apps\":[]}")]
    [InlineData("{\"version\":2,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"route\":{\"path\":\"x\",\"proxyProtocol\":\"v2\"}}]}")]
    [InlineData("{\"version\":2,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"route\":{\"match\":{\"headers\":[null]}}}]}")]
    [InlineData("{\"version\":2,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"route\":{\"match\":{\"headers\":[{\"name\":\"a b\",\"value\":\"x\"}]}}}]}")]
    [InlineData("{\"version\":2,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"route\":{\"requestHeaders\":{\"set\":[{\"name\":\"a\",\"value\":\"x\\r\\ny: z\"}]}}}]}")]
    [InlineData("{\"version\":2,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[],\"endpoints\":[],\"route\":{\"redirects\":[{\"to\":\"/\",\"status\":200}]}}]}")]
    [InlineData("{\"version\":3,\"apps\":[{\"namespace\":\"d\",\"name\":\"w\",\"claims\":[{\"path\":\"/\"}],\"endpoints\":[],\"route\":{\"protocol\":\"tcp\"}}]}")]
    [InlineData("\0\0\0\0")]
    public void A_file_that_cannot_be_used_is_set_aside_and_the_next_save_replaces_it(string content)
    {
        var store = Store("state");
        Directory.CreateDirectory(_folder["state"]);
        File.WriteAllText(store.Path, content);

        Assert.Empty(store.Load());

        Assert.Equal(content, File.ReadAllText(store.Path + ".bad"));
        store.Save(_routes.Table);
        Assert.Empty(store.Load());
        Assert.True(File.Exists(store.Path));
    }

    [Fact]
    public void A_save_that_was_cut_off_leaves_the_last_whole_file()
    {
        var store = Store("state");
        _routes.ReplaceAll([new AppRoute(new ObjectKey("default", "web"), new Route(), [new RouteClaim(null, null, "/")], [])]);
        store.Save(_routes.Table);
        File.WriteAllText(store.Path + ".new", "{\"version\":1,\"ap");

        Assert.Single(Store("state").Load());
    }

    public void Dispose()
    {
        _routes.Clear();
        _folder.Dispose();
    }

    private RouteStore Store(string name) => new(_folder[name], NullLogger<RouteStore>.Instance);

    private static string Flat(AppRoute route) =>
        $"{route.App} {JsonSerializer.Serialize(route.Route)} {route.Uid} {string.Join(' ', route.Claims)} {string.Join(' ', (route.Endpoints ?? []).Select(id => $"{id} {id.Revision}"))} {route.Traffic}";
}
