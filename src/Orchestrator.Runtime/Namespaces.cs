using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Orchestrator.Runtime;

/// <summary>The namespaces of the installation.</summary>
public static class Namespaces
{
    /// <summary>Reads a namespace; makes it if it is missing.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public static async Task<V1Namespace> EnsureAsync(IKubernetes kubernetes, string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await kubernetes.CoreV1.ReadNamespaceAsync(name, cancellationToken: cancellationToken);
            }
            catch (HttpOperationException missing) when (missing.Response.StatusCode == HttpStatusCode.NotFound)
            {
                try
                {
                    var made = new V1Namespace { Metadata = new V1ObjectMeta { Name = name } };
                    return await kubernetes.CoreV1.CreateNamespaceAsync(made, cancellationToken: cancellationToken);
                }
                catch (HttpOperationException raced) when (raced.Response.StatusCode == HttpStatusCode.Conflict)
                {
                    // Another process made it first: read that one.
                }
            }
        }
    }
}
