using System.Net;
using Microsoft.Extensions.Time.Testing;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tests.Support;
using Route = Orchestrator.Api.WebApps.Route;

namespace Orchestrator.Proxy.Tests.Forwarding;

/// <summary>Which clients come back to the same replica, and how new replicas begin.</summary>
public sealed class AffinityTests : IAsyncLifetime
{
    private readonly List<ReplicaServer> _servers = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            _servers.Add(await ReplicaServer.StartAsync(name));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_client_with_the_cookie_stays_at_its_replica_and_gets_another_when_that_is_gone()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Stickiness = new() { MaxAgeSeconds = 60 } }, Ids());
        using var first = await proxy.Client.GetAsync("/", Cancellation);
        var (mine, cookie) = (await first.Content.ReadAsStringAsync(Cancellation), first.Headers.GetValues("Set-Cookie").Single());
        Assert.Matches("^orc-replica=[A-Za-z0-9_-]{22}; max-age=60; path=/; samesite=lax; httponly$", cookie);

        for (var i = 0; i < 20; i++)
        {
            using var again = await AskAsync(proxy, ("Cookie", cookie.Split(';')[0]));
            Assert.Equal(mine, await again.Content.ReadAsStringAsync(Cancellation));
            Assert.False(again.Headers.Contains("Set-Cookie"));
        }

        proxy.Serve(new Route { Stickiness = new() { MaxAgeSeconds = 60 } }, [.. Ids().Where(id => id.Uid != mine)]);
        using var moved = await AskAsync(proxy, ("Cookie", cookie.Split(';')[0]));
        Assert.NotEqual(mine, await moved.Content.ReadAsStringAsync(Cancellation));
        Assert.True(moved.Headers.Contains("Set-Cookie"));
    }

    [Theory]
    [InlineData("orc-replica=a")]
    [InlineData("orc-replica=")]
    [InlineData("orc-replica=AAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_cookie_that_no_proxy_has_made_chooses_nothing(string cookie)
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Balancing = BalancingPolicies.RoundRobin, Stickiness = new() }, Ids());
        var answers = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            using var answer = await AskAsync(proxy, ("Cookie", cookie));
            answers.Add(await answer.Content.ReadAsStringAsync(Cancellation));
            Assert.True(answer.Headers.Contains("Set-Cookie"));
        }

        Assert.Equal(["a", "b", "c", "d", "a", "b", "c", "d"], answers);
    }

    [Fact]
    public void Two_apps_have_other_cookies_for_the_same_replica() =>
        Assert.NotEqual(StickyCookie.ValueOf("one", "replica"), StickyCookie.ValueOf("other", "replica"));

    [Theory]
    [InlineData("X-Tenant", "X-Tenant", "{0}")]
    [InlineData(null, "Cookie", "tenant={0}")]
    public async Task The_same_key_goes_to_the_same_replica_of_every_proxy_and_few_move_when_one_goes(string? header, string name, string value)
    {
        var route = new Route
        {
            Balancing = BalancingPolicies.ConsistentHash,
            ConsistentHash = new() { Header = header, Cookie = header is null ? "tenant" : null },
        };
        await using var one = await TestProxy.StartAsync();
        await using var other = await TestProxy.StartAsync();
        one.Serve(route, Ids());
        other.Serve(route, [.. Ids().Reverse()]);

        var before = await PlacesAsync(one);
        Assert.Equal(before, await PlacesAsync(other));
        Assert.Equal(4, before.Values.Distinct().Count());

        one.Serve(route, [.. Ids().Where(id => id.Uid != "b")]);
        var after = await PlacesAsync(one);
        Assert.All(before.Where(place => place.Value != "b"), place => Assert.Equal(place.Value, after[place.Key]));
        Assert.DoesNotContain("b", after.Values);

        async Task<Dictionary<int, string>> PlacesAsync(TestProxy proxy)
        {
            var places = new Dictionary<int, string>();
            for (var i = 0; i < 60; i++)
            {
                using var answer = await AskAsync(proxy, (name, string.Format(System.Globalization.CultureInfo.InvariantCulture, value, i)));
                places.Add(i, await answer.Content.ReadAsStringAsync(Cancellation));
            }

            return places;
        }
    }

    [Fact]
    public async Task Without_its_header_a_request_goes_by_the_clients_address()
    {
        await using var proxy = await TestProxy.StartAsync();
        proxy.Serve(new Route { Balancing = BalancingPolicies.ConsistentHash, ConsistentHash = new() { Header = "X-Tenant" } }, Ids());
        var answers = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            answers.Add(await proxy.Client.GetStringAsync("/", Cancellation));
        }

        Assert.Single(answers);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    public void A_client_is_an_IPv4_address_or_half_an_IPv6_one(string one, string other, bool same) =>
        Assert.Equal(same, ClientKey.Of(IPAddress.Parse(one)).SequenceEqual(ClientKey.Of(IPAddress.Parse(other))));

    [Fact]
    public void A_new_replica_gets_its_share_bit_by_bit()
    {
        var time = new FakeTimeProvider();
        var routes = new Routes(0, new SharedRandom(1), time);
        var key = new Runtime.ObjectKey("default", "slow-start");
        routes.ReplaceAll(
            [new AppRoute(key, new Route { SlowStartSeconds = 100, Balancing = BalancingPolicies.Random }, [new RouteClaim(null, null, "/")], [Id("old"), Id("older")])]);
        Assert.InRange(Share("old"), 0.45, 0.55);

        routes.ReplaceEndpoints(key, [Id("old"), Id("older"), Id("new")], default);

        // A third in the end.
        Assert.InRange(Share("new"), 0.02, 0.05);
        time.Advance(TimeSpan.FromSeconds(50));
        Assert.InRange(Share("new"), 0.14, 0.19);
        time.Advance(TimeSpan.FromSeconds(51));
        Assert.InRange(Share("new"), 0.30, 0.37);
        routes.Clear();

        double Share(string uid)
        {
            const int Requests = 4000;
            var app = Assert.Single(routes.Table.Apps);
            return Enumerable.Range(0, Requests).Count(_ =>
            {
                var chosen = app.Acquire(null)!;
                chosen.Leave();
                return chosen.Id.Uid == uid;
            }) / (double)Requests;
        }
    }

    private static EndpointId Id(string uid) => new(uid, "10.0.0.1", 80);

    private EndpointId[] Ids() => [.. _servers.Select(server => server.Id)];

    private static Task<HttpResponseMessage> AskAsync(TestProxy proxy, (string Name, string Value) header)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add(header.Name, header.Value);
        return proxy.Client.SendAsync(request, Cancellation);
    }
}
