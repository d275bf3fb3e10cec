using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Balancing;

/// <summary>The endpoint with the fewest requests in flight; among equals any, so that an idle app's requests are spread too.</summary>
internal sealed class LeastRequests(Random random) : IBalancer
{
    public ReplicaEndpoint Pick(ReadOnlySpan<ReplicaEndpoint> endpoints, ulong key)
    {
        var start = random.Next(endpoints.Length);
        var least = endpoints[start];
        var requests = least.InFlight;
        for (var i = 1; i < endpoints.Length && requests > 0; i++)
        {
            var next = endpoints[(start + i) % endpoints.Length];
            var others = next.InFlight;
            if (others < requests)
            {
                (least, requests) = (next, others);
            }
        }

        return least;
    }
}
