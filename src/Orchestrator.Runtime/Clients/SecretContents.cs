using k8s;
using k8s.Models;

namespace Orchestrator.Runtime.Clients;

/// <summary>Lists and watches the Secrets of one namespace with what they hold. For <see cref="ContentMetadata"/>'s use this is too much.</summary>
public static class SecretContents
{
    public static IListWatch<V1Secret> Of(IKubernetes kubernetes, string @namespace) => new CoreListWatch<V1Secret, V1SecretList>(
        (selector, cancellation) => kubernetes.CoreV1.ListNamespacedSecretWithHttpMessagesAsync(
            @namespace, labelSelector: selector, cancellationToken: cancellation),
        (selector, revision, seconds, cancellation) => kubernetes.CoreV1.ListNamespacedSecretWithHttpMessagesAsync(
            @namespace, allowWatchBookmarks: true, labelSelector: selector, resourceVersion: revision, timeoutSeconds: seconds, watch: true, cancellationToken: cancellation),
        list => (list.Items, list.Metadata),
        secret => secret);
}
