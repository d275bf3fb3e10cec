using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
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
    public static async Task<string> EnsureAsync(IKubernetes kubernetes, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var found = await kubernetes.CoreV1.ReadNamespaceAsync(ApiGroup.SystemNamespace, cancellationToken: cancellationToken);
                return found.Metadata.Uid;
            }
            catch (HttpOperationException missing) when (missing.Response.StatusCode == HttpStatusCode.NotFound)
            {
                try
                {
                    var made = new V1Namespace { Metadata = new V1ObjectMeta { Name = ApiGroup.SystemNamespace } };
                    return (await kubernetes.CoreV1.CreateNamespaceAsync(made, cancellationToken: cancellationToken)).Metadata.Uid;
                }
                catch (HttpOperationException raced) when (raced.Response.StatusCode == HttpStatusCode.Conflict)
                {
                    // Another process made it first: read that one.
                }
            }
        }
    }
}
