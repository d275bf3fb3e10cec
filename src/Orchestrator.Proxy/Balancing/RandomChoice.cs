using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Balancing;

/// <summary>Any, each as likely.</summary>
internal sealed class RandomChoice(Random random) : IBalancer
{
    public ReplicaEndpoint Pick(ReadOnlySpan<ReplicaEndpoint> endpoints, ulong key) => endpoints[random.Next(endpoints.Length)];
}
