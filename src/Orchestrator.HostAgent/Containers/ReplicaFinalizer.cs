using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Containers;

/// <summary>Lets go of a Replica: its container is gone for good, or its host is.</summary>
internal static class ReplicaFinalizer
{
    /// <exception cref="Runtime.Clients.ConflictException">It changed: read it again and decide anew.</exception>
    /// <exception cref="Runtime.Clients.NotFoundException">It is gone.</exception>
    public static async Task RemoveAsync(SharedInformers informers, Replica replica, CancellationToken cancellationToken)
    {
        var patch = new Dictionary<string, object?>
        {
            ["metadata"] = new Dictionary<string, object?>
            {
                ["resourceVersion"] = replica.Metadata.ResourceVersion,
                ["finalizers"] = (replica.Metadata.Finalizers ?? []).Where(finalizer => finalizer != Finalizers.Container).ToArray(),
            },
        };
        informers.Replicas.Seed(await informers.ReplicaClient.MergePatchAsync(ObjectKey.Of(replica), patch, cancellationToken));
    }
}
