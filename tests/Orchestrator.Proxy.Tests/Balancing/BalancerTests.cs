using CsCheck;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Balancing;

public sealed class BalancerTests
{
    public static TheoryData<string> Policies =>
        [BalancingPolicies.PowerOfTwoChoices, BalancingPolicies.LeastRequests, BalancingPolicies.RoundRobin, BalancingPolicies.Random];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Idle_endpoints_get_about_the_same_share(string policy)
    {
        const int count = 7, requests = 70_000;
        var endpoints = Endpoints(count);
        var balancer = Balancers.Create(policy, new SharedRandom(42));

        var shares = Enumerable.Range(0, requests).Select(_ => balancer.Pick(endpoints, 0)).CountBy(endpoint => endpoint).ToDictionary();

        Assert.Equal(count, shares.Count);
        Assert.All(shares.Values, share => Assert.InRange(share, requests / count * 0.95, requests / count * 1.05));
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void One_of_the_given_endpoints_is_picked(string policy)
    {
        var balancer = Balancers.Create(policy, new SharedRandom(7));
        var all = Endpoints(30);

        Gen.Select(Gen.Int[0, 29], Gen.Int[1, 30]).Sample((start, length) =>
        {
            var some = all[start..Math.Min(all.Length, start + length)];
            return some.Contains(balancer.Pick(some, 0));
        });
    }

    [Theory]
    [InlineData(BalancingPolicies.PowerOfTwoChoices)]
    [InlineData(BalancingPolicies.LeastRequests)]
    public void The_busiest_endpoint_is_never_picked(string policy)
    {
        var balancer = Balancers.Create(policy, new SharedRandom(3));
        var endpoints = Endpoints(5);
        Enter(endpoints[2], times: 1);

        var picked = Enumerable.Range(0, 1000).Select(_ => balancer.Pick(endpoints, 0)).ToHashSet();

        Assert.DoesNotContain(endpoints[2], picked);
        Assert.Equal(4, picked.Count);
    }

    [Fact]
    public void Least_requests_finds_the_one_that_is_least_busy()
    {
        var balancer = new LeastRequests(new SharedRandom(3));
        var endpoints = Endpoints(5);
        for (var i = 0; i < endpoints.Length; i++)
        {
            Enter(endpoints[i], times: i == 3 ? 1 : 2 + i);
        }

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Same(endpoints[3], balancer.Pick(endpoints, 0)));
    }

    [Fact]
    public void Two_choices_leave_no_endpoint_far_behind_where_chance_alone_does()
    {
        static int Spread(IBalancer balancer)
        {
            var endpoints = Endpoints(20);
            for (var i = 0; i < 4000; i++)
            {
                Enter(balancer.Pick(endpoints, 0), times: 1);
            }

            return endpoints.Max(endpoint => endpoint.InFlight) - endpoints.Min(endpoint => endpoint.InFlight);
        }

        Assert.InRange(Spread(new PowerOfTwoChoices(new SharedRandom(11))), 0, 8);
        Assert.InRange(Spread(new RandomChoice(new SharedRandom(11))), 25, 200);
    }

    [Fact]
    public void Round_robin_goes_round_past_the_end_of_its_counter()
    {
        var balancer = new RoundRobin();
        var endpoints = Endpoints(3);

        Assert.Equal([0, 1, 2, 0, 1, 2], Enumerable.Range(0, 6).Select(_ => Array.IndexOf(endpoints, balancer.Pick(endpoints, 0))));
    }

    [Fact]
    public void An_unknown_policy_is_served_by_the_default_one() =>
        Assert.IsType<PowerOfTwoChoices>(Balancers.Create("OfATimeToCome", new SharedRandom(1)));

    [Fact]
    public void The_shared_random_gives_the_same_numbers_for_the_same_seed_and_stays_in_range()
    {
        var (one, two) = (new SharedRandom(5), new SharedRandom(5));

        Gen.Int[1, int.MaxValue].Sample(max =>
        {
            var drawn = one.Next(max);
            return drawn >= 0 && drawn < max && drawn == two.Next(max);
        }, threads: 1);
        Assert.InRange(one.NextDouble(), 0, 1);
        Assert.InRange(one.Next(-5, 5), -5, 4);
    }

    private static ReplicaEndpoint[] Endpoints(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new ReplicaEndpoint(new EndpointId($"uid-{i}", "10.0.0.1", 1000 + i)))];

    private static void Enter(ReplicaEndpoint endpoint, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.True(endpoint.TryEnter());
        }
    }
}
