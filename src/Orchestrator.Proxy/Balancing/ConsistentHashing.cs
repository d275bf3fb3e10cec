using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Balancing;

/// <summary>
/// The same endpoint for the same key, in every proxy and after every restart: the one that scores highest with it (rendezvous hashing,
/// Thaler and Ravishankar 1998). When one goes only its keys go elsewhere, evenly; when one comes, only what will be its own.
/// No ring to keep, so whichever endpoints may be chosen right now can be asked.
/// </summary>
internal sealed class ConsistentHashing : IBalancer
{
    public ReplicaEndpoint Pick(ReadOnlySpan<ReplicaEndpoint> endpoints, ulong key)
    {
        var best = endpoints[0];
        var most = StableHash.Mix(best.Hash ^ key);
        for (var i = 1; i < endpoints.Length; i++)
        {
            var score = StableHash.Mix(endpoints[i].Hash ^ key);
            if (score > most)
            {
                (best, most) = (endpoints[i], score);
            }
        }

        return best;
    }
}
