using k8s;
using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.Runtime.Clients;

/// <summary>What an informer asks of the server, for one kind.</summary>
public interface IListWatch<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <param name="namespace">Null lists all namespaces, or a cluster-wide kind.</param>
    Task<CustomResourceList<T>> ListAsync(string? @namespace, string? labelSelector, CancellationToken cancellationToken);

    /// <summary>Events after a revision, until the server ends the watch (it does, after <paramref name="timeout"/>).</summary>
    /// <param name="namespace">Null watches all namespaces, or a cluster-wide kind.</param>
    /// <param name="timeout">Whole seconds are sent; the server closes the stream then.</param>
    /// <param name="onError">Called with what could not be read or what the server reported inside the stream.</param>
    IAsyncEnumerable<(WatchEventType Type, T Object)> WatchAsync(
        string? @namespace, string? labelSelector, string resourceVersion, TimeSpan timeout, Action<Exception> onError, CancellationToken cancellationToken);
}
