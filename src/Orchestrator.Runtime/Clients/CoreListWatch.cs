using System.Runtime.CompilerServices;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.Runtime.Clients;

/// <summary>The client library's calls for the core group are a method a kind.</summary>
internal sealed class CoreListWatch<T, TList>(
    Func<string?, CancellationToken, Task<HttpOperationResponse<TList>>> list,
    Func<string?, string, int, CancellationToken, Task<HttpOperationResponse<TList>>> watch,
    Func<TList, (IList<T>? Items, V1ListMeta Metadata)> partsOf,
    Func<T, T> essence) : IListWatch<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    public async Task<CustomResourceList<T>> ListAsync(string? @namespace, string? labelSelector, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await list(labelSelector, cancellationToken);
            var (items, metadata) = partsOf(response.Body);

            // A real API server answers with null for no items in this form.
            return new CustomResourceList<T> { Items = [.. (items ?? []).Select(essence)], Metadata = metadata };
        }
        catch (HttpOperationException failure)
        {
            throw ApiException.From(failure);
        }
    }

    public async IAsyncEnumerable<(WatchEventType Type, T Object)> WatchAsync(
        string? @namespace,
        string? labelSelector,
        string resourceVersion,
        TimeSpan timeout,
        Action<Exception> onError,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var response = watch(labelSelector, resourceVersion, (int)timeout.TotalSeconds, cancellationToken);
        try
        {
            await response;
        }
        catch (HttpOperationException failure)
        {
            throw ApiException.From(failure);
        }

        // As in ResourceClient.
#pragma warning disable CS0618
        await foreach (var (type, obj) in response.WatchAsync<T, TList>(onError, cancellationToken))
#pragma warning restore CS0618
        {
            yield return (type, essence(obj));
        }
    }
}
