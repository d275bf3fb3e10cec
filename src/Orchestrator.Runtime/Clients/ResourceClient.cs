using System.Reflection;
using System.Runtime.CompilerServices;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.Runtime.Clients;

/// <summary>
/// Typed requests for one kind of a named API group (the legacy core group has other paths and is not reached this way).
/// Failures that the server explains are <see cref="ApiException"/>s; a server that cannot be reached is an
/// <see cref="HttpRequestException"/>.
/// </summary>
public sealed class ResourceClient<T>(IKubernetes kubernetes, string fieldManager) : IListWatch<T>
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private static readonly KubernetesEntityAttribute Kind = typeof(T).GetCustomAttribute<KubernetesEntityAttribute>()
        ?? throw new InvalidOperationException($"{typeof(T)} has no KubernetesEntity attribute");

    private readonly ICustomObjectsOperations _objects = kubernetes.CustomObjects;

    /// <returns>Null when there is no such object.</returns>
    public async Task<T?> GetAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await Send(() => key.Namespace is null
                ? _objects.GetClusterCustomObjectWithHttpMessagesAsync<T>(
                    Kind.Group, Kind.ApiVersion, Kind.PluralName, key.Name, cancellationToken: cancellationToken)
                : _objects.GetNamespacedCustomObjectWithHttpMessagesAsync<T>(
                    Kind.Group, Kind.ApiVersion, key.Namespace, Kind.PluralName, key.Name, cancellationToken: cancellationToken));
        }
        catch (NotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public Task<CustomResourceList<T>> ListAsync(string? @namespace, string? labelSelector, CancellationToken cancellationToken) =>
        Send(() => @namespace is null
            ? _objects.ListClusterCustomObjectWithHttpMessagesAsync<CustomResourceList<T>>(
                Kind.Group, Kind.ApiVersion, Kind.PluralName, labelSelector: labelSelector, cancellationToken: cancellationToken)
            : _objects.ListNamespacedCustomObjectWithHttpMessagesAsync<CustomResourceList<T>>(
                Kind.Group, Kind.ApiVersion, @namespace, Kind.PluralName, labelSelector: labelSelector, cancellationToken: cancellationToken));

    /// <inheritdoc/>
    public async IAsyncEnumerable<(WatchEventType Type, T Object)> WatchAsync(
        string? @namespace,
        string? labelSelector,
        string resourceVersion,
        TimeSpan timeout,
        Action<Exception> onError,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seconds = (int)timeout.TotalSeconds;
        var response = @namespace is null
            ? _objects.ListClusterCustomObjectWithHttpMessagesAsync<CustomResourceList<T>>(
                Kind.Group, Kind.ApiVersion, Kind.PluralName,
                allowWatchBookmarks: true, labelSelector: labelSelector, resourceVersion: resourceVersion, timeoutSeconds: seconds, watch: true,
                cancellationToken: cancellationToken)
            : _objects.ListNamespacedCustomObjectWithHttpMessagesAsync<CustomResourceList<T>>(
                Kind.Group, Kind.ApiVersion, @namespace, Kind.PluralName,
                allowWatchBookmarks: true, labelSelector: labelSelector, resourceVersion: resourceVersion, timeoutSeconds: seconds, watch: true,
                cancellationToken: cancellationToken);
        try
        {
            await response;
        }
        catch (HttpOperationException failure)
        {
            throw ApiException.From(failure);
        }

        // The client's newer calls watch custom objects as untyped JSON only, to be parsed a second time.
#pragma warning disable CS0618
        await foreach (var change in response.WatchAsync<T, CustomResourceList<T>>(onError, cancellationToken))
#pragma warning restore CS0618
        {
            yield return change;
        }
    }

    /// <exception cref="AlreadyExistsException">An object of this name exists.</exception>
    public Task<T> CreateAsync(T obj, CancellationToken cancellationToken) =>
        Send(() => obj.Metadata.NamespaceProperty is not { } @namespace
            ? _objects.CreateClusterCustomObjectWithHttpMessagesAsync<T>(
                obj, Kind.Group, Kind.ApiVersion, Kind.PluralName, fieldManager: fieldManager, cancellationToken: cancellationToken)
            : _objects.CreateNamespacedCustomObjectWithHttpMessagesAsync<T>(
                obj, Kind.Group, Kind.ApiVersion, @namespace, Kind.PluralName, fieldManager: fieldManager, cancellationToken: cancellationToken));

    /// <exception cref="ConflictException">The object's resourceVersion is no longer the stored one.</exception>
    /// <exception cref="NotFoundException">There is no such object.</exception>
    public Task<T> ReplaceAsync(T obj, CancellationToken cancellationToken) =>
        Send(() => obj.Metadata.NamespaceProperty is not { } @namespace
            ? _objects.ReplaceClusterCustomObjectWithHttpMessagesAsync<T>(
                obj, Kind.Group, Kind.ApiVersion, Kind.PluralName, obj.Metadata.Name, fieldManager: fieldManager, cancellationToken: cancellationToken)
            : _objects.ReplaceNamespacedCustomObjectWithHttpMessagesAsync<T>(
                obj, Kind.Group, Kind.ApiVersion, @namespace, Kind.PluralName, obj.Metadata.Name, fieldManager: fieldManager, cancellationToken: cancellationToken));

    /// <summary>RFC 7386 merge patch of all but status. With metadata.resourceVersion in it, it is optimistically locked.</summary>
    /// <exception cref="ConflictException">The patch's resourceVersion is no longer the stored one.</exception>
    /// <exception cref="NotFoundException">There is no such object.</exception>
    public Task<T> MergePatchAsync(ObjectKey key, object patch, CancellationToken cancellationToken) =>
        Send(() => key.Namespace is null
            ? _objects.PatchClusterCustomObjectWithHttpMessagesAsync<T>(
                Body(patch), Kind.Group, Kind.ApiVersion, Kind.PluralName, key.Name, fieldManager: fieldManager, cancellationToken: cancellationToken)
            : _objects.PatchNamespacedCustomObjectWithHttpMessagesAsync<T>(
                Body(patch), Kind.Group, Kind.ApiVersion, key.Namespace, Kind.PluralName, key.Name, fieldManager: fieldManager, cancellationToken: cancellationToken));

    /// <summary>The same for the status subresource.</summary>
    /// <inheritdoc cref="MergePatchAsync" path="/exception"/>
    public Task<T> MergePatchStatusAsync(ObjectKey key, object patch, CancellationToken cancellationToken) =>
        Send(() => key.Namespace is null
            ? _objects.PatchClusterCustomObjectStatusWithHttpMessagesAsync<T>(
                Body(patch), Kind.Group, Kind.ApiVersion, Kind.PluralName, key.Name, fieldManager: fieldManager, cancellationToken: cancellationToken)
            : _objects.PatchNamespacedCustomObjectStatusWithHttpMessagesAsync<T>(
                Body(patch), Kind.Group, Kind.ApiVersion, key.Namespace, Kind.PluralName, key.Name, fieldManager: fieldManager, cancellationToken: cancellationToken));

    /// <summary>Asks for deletion; an object that is not there is deleted already.</summary>
    /// <param name="uid">Deletes only this very object, not a later one of the same name.</param>
    /// <exception cref="ConflictException">The object of this name has another uid.</exception>
    public async Task DeleteAsync(ObjectKey key, string? uid, CancellationToken cancellationToken)
    {
        var options = new V1DeleteOptions { Preconditions = uid is null ? null : new V1Preconditions { Uid = uid } };
        try
        {
            await Send(() => key.Namespace is null
                ? _objects.DeleteClusterCustomObjectWithHttpMessagesAsync<object>(
                    Kind.Group, Kind.ApiVersion, Kind.PluralName, key.Name, options, cancellationToken: cancellationToken)
                : _objects.DeleteNamespacedCustomObjectWithHttpMessagesAsync<object>(
                    Kind.Group, Kind.ApiVersion, key.Namespace, Kind.PluralName, key.Name, options, cancellationToken: cancellationToken));
        }
        catch (NotFoundException)
        {
            // Somebody was faster; the caller's wish holds.
        }
    }

    private static V1Patch Body(object patch) => new(KubernetesJson.Serialize(patch), V1Patch.PatchType.MergePatch);

    private static async Task<TAnswer> Send<TAnswer>(Func<Task<HttpOperationResponse<TAnswer>>> request)
    {
        try
        {
            using var response = await request();
            return response.Body;
        }
        catch (HttpOperationException failure)
        {
            throw ApiException.From(failure);
        }
    }
}
