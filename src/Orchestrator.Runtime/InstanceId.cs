using k8s;
using k8s.Autorest;
using Orchestrator.Api;

namespace Orchestrator.Runtime;

/// <summary>
/// Which installation this is: the uid of its system namespace. It lives and dies with the installation's state, so a new
/// installation never takes the containers of an old one for its own.
/// </summary>
public static class InstanceId
{
    /// <summary>Reads the id; makes the namespace if it is missing.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public static async Task<string> EnsureAsync(IKubernetes kubernetes, CancellationToken cancellationToken) =>
        (await Namespaces.EnsureAsync(kubernetes, ApiGroup.SystemNamespace, cancellationToken)).Metadata.Uid;
}
