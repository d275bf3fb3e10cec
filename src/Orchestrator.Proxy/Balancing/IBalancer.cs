using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Balancing;

/// <summary>Chooses the endpoint of a request. One instance an app; called by many threads at once.</summary>
internal interface IBalancer
{
    /// <param name="endpoints">At least one; another set from one call to the next.</param>
    /// <param name="key">What <see cref="ConsistentHashing"/> goes by; 0 for the others.</param>
    ReplicaEndpoint Pick(ReadOnlySpan<ReplicaEndpoint> endpoints, ulong key);
}

internal static class Balancers
{
    /// <param name="policy"><see cref="BalancingPolicies"/>; one of a newer version than this proxy's is served by the default.</param>
    /// <param name="random">Thread-safe.</param>
    public static IBalancer Create(string? policy, Random random) => policy switch
    {
        BalancingPolicies.LeastRequests => new LeastRequests(random),
        BalancingPolicies.RoundRobin => new RoundRobin(),
        BalancingPolicies.Random => new RandomChoice(random),
        BalancingPolicies.ConsistentHash => new ConsistentHashing(),
        _ => new PowerOfTwoChoices(random),
    };
}
