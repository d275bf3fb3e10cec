using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Orchestrator.Runtime.Clients;

/// <summary>
/// Reads ConfigMaps and Secrets, and keeps Secrets of our own: kinds of the core group, which <see cref="ResourceClient{T}"/> does not reach.
/// Failures are <see cref="ApiException"/>s and <see cref="HttpRequestException"/>s as there.
/// </summary>
public sealed class ContentClient(IKubernetes kubernetes, string fieldManager)
{
    /// <returns>Null when there is no such object.</returns>
    public Task<V1ConfigMap?> GetConfigMapAsync(ObjectKey key, CancellationToken cancellationToken) => Find(() =>
        kubernetes.CoreV1.ReadNamespacedConfigMapWithHttpMessagesAsync(key.Name, key.Namespace, cancellationToken: cancellationToken));

    /// <inheritdoc cref="GetConfigMapAsync"/>
    public Task<V1Secret?> GetSecretAsync(ObjectKey key, CancellationToken cancellationToken) => Find(() =>
        kubernetes.CoreV1.ReadNamespacedSecretWithHttpMessagesAsync(key.Name, key.Namespace, cancellationToken: cancellationToken));

    /// <summary>By their metadata alone, as <see cref="ContentMetadata"/> has them.</summary>
    public async Task<IReadOnlyList<V1Secret>> ListSecretsAsync(string @namespace, string labelSelector, CancellationToken cancellationToken)
    {
        var found = await Send(() => kubernetes.CoreV1.ListNamespacedSecretWithHttpMessagesAsync(
            @namespace, labelSelector: labelSelector, customHeaders: ContentMetadata.AsList, cancellationToken: cancellationToken));

        // No items are null in this form, whatever the client library's type says.
        return [.. (found.Items ?? []).Select(secret => new V1Secret { Metadata = ContentMetadata.Essence(secret.Metadata) })];
    }

    /// <exception cref="AlreadyExistsException">A Secret of this name exists.</exception>
    public Task<V1Secret> CreateSecretAsync(V1Secret secret, CancellationToken cancellationToken) => Send(() =>
        kubernetes.CoreV1.CreateNamespacedSecretWithHttpMessagesAsync(
            secret, secret.Metadata.NamespaceProperty, fieldManager: fieldManager, cancellationToken: cancellationToken));

    /// <exception cref="ConflictException">The Secret's resourceVersion is no longer the stored one.</exception>
    /// <exception cref="NotFoundException">There is no such Secret.</exception>
    public Task<V1Secret> ReplaceSecretAsync(V1Secret secret, CancellationToken cancellationToken) => Send(() =>
        kubernetes.CoreV1.ReplaceNamespacedSecretWithHttpMessagesAsync(
            secret, secret.Metadata.Name, secret.Metadata.NamespaceProperty, fieldManager: fieldManager, cancellationToken: cancellationToken));

    /// <summary>Deletes this very Secret; one that is gone is as good.</summary>
    /// <exception cref="ConflictException">The Secret of this name has another uid.</exception>
    public async Task DeleteSecretAsync(ObjectKey key, string uid, CancellationToken cancellationToken)
    {
        try
        {
            await Send(() => kubernetes.CoreV1.DeleteNamespacedSecretWithHttpMessagesAsync(
                key.Name,
                key.Namespace,
                new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = uid } },
                cancellationToken: cancellationToken));
        }
        catch (NotFoundException)
        {
            // Somebody was faster.
        }
    }

    private static async Task<T?> Find<T>(Func<Task<HttpOperationResponse<T>>> request)
        where T : class
    {
        try
        {
            return await Send(request);
        }
        catch (NotFoundException)
        {
            return null;
        }
    }

    private static async Task<T> Send<T>(Func<Task<HttpOperationResponse<T>>> request)
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
