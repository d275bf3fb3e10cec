using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Runtime.Clients;

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

    /// <summary>
    /// Makes something in a namespace; if that is missing, it first. Asks for the namespace only then: who may write into one need not have the
    /// right to look at it.
    /// </summary>
    public static async Task CreateInAsync(IKubernetes kubernetes, string name, Func<Task> create, CancellationToken cancellationToken)
    {
        try
        {
            await create();
        }
        catch (NotFoundException)
        {
            await EnsureAsync(kubernetes, name, cancellationToken);
            await create();
        }
    }
}
