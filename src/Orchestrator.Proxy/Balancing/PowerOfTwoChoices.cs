using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Balancing;

/// <summary>
/// Of two endpoints drawn at random, the one with fewer requests in flight (Mitzenmacher 2001): nearly as even as looking at all
/// of them, at constant cost, and several proxies that know nothing of each other do not all run to the same one.
/// </summary>
internal sealed class PowerOfTwoChoices(Random random) : IBalancer
{
    public ReplicaEndpoint Pick(ReadOnlySpan<ReplicaEndpoint> endpoints, ulong key)
    {
        if (endpoints.Length == 1)
        {
            return endpoints[0];
        }

        var first = random.Next(endpoints.Length);
        var second = random.Next(endpoints.Length - 1);
        if (second >= first)
        {
            second++;
        }

        return endpoints[second].InFlight < endpoints[first].InFlight ? endpoints[second] : endpoints[first];
    }
}
