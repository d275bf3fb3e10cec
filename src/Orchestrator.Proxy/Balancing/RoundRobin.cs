using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Balancing;

/// <summary>One after the other.</summary>
internal sealed class RoundRobin : IBalancer
{
    private uint _next = uint.MaxValue;

    public ReplicaEndpoint Pick(ReadOnlySpan<ReplicaEndpoint> endpoints, ulong key) =>
        endpoints[(int)(Interlocked.Increment(ref _next) % (uint)endpoints.Length)];
}
