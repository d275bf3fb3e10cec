using k8s;
using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.Runtime.Clients;

/// <summary>
/// Lists and watches ConfigMaps or Secrets by their metadata alone (Kubernetes' PartialObjectMetadata): what they hold is neither sent nor
/// kept, but by a server that does not know the form. Of the metadata only what names an object, its version and its owner is kept.
/// </summary>
public static class ContentMetadata
{
    internal static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> AsList = Accept("PartialObjectMetadataList");
    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> AsObjects = Accept("PartialObjectMetadata");

    public static IListWatch<V1ConfigMap> OfConfigMaps(IKubernetes kubernetes) => new CoreListWatch<V1ConfigMap, V1ConfigMapList>(
        (selector, cancellation) => kubernetes.CoreV1.ListConfigMapForAllNamespacesWithHttpMessagesAsync(
            labelSelector: selector, customHeaders: AsList, cancellationToken: cancellation),
        (selector, revision, seconds, cancellation) => kubernetes.CoreV1.ListConfigMapForAllNamespacesWithHttpMessagesAsync(
            allowWatchBookmarks: true, labelSelector: selector, resourceVersion: revision, timeoutSeconds: seconds, watch: true, customHeaders: AsObjects, cancellationToken: cancellation),
        list => (list.Items, list.Metadata),
        obj => new V1ConfigMap { Metadata = Essence(obj.Metadata) });

    public static IListWatch<V1Secret> OfSecrets(IKubernetes kubernetes) => new CoreListWatch<V1Secret, V1SecretList>(
        (selector, cancellation) => kubernetes.CoreV1.ListSecretForAllNamespacesWithHttpMessagesAsync(
            labelSelector: selector, customHeaders: AsList, cancellationToken: cancellation),
        (selector, revision, seconds, cancellation) => kubernetes.CoreV1.ListSecretForAllNamespacesWithHttpMessagesAsync(
            allowWatchBookmarks: true, labelSelector: selector, resourceVersion: revision, timeoutSeconds: seconds, watch: true, customHeaders: AsObjects, cancellationToken: cancellation),
        list => (list.Items, list.Metadata),
        obj => new V1Secret { Metadata = Essence(obj.Metadata) });

    /// <summary>Not the annotations: <c>kubectl apply</c> leaves the whole content in one.</summary>
    public static V1ObjectMeta Essence(V1ObjectMeta metadata) => new()
    {
        Name = metadata.Name,
        NamespaceProperty = metadata.NamespaceProperty,
        Uid = metadata.Uid,
        ResourceVersion = metadata.ResourceVersion,
        Labels = metadata.Labels?.Where(label => label.Key is Labels.App or Labels.Revision).ToDictionary() is { Count: > 0 } ours ? ours : null,
        OwnerReferences = metadata.OwnerReferences?.Where(owner => owner.Controller == true).ToList() is { Count: > 0 } owners ? owners : null,
    };

    private static Dictionary<string, IReadOnlyList<string>> Accept(string form) =>
        new() { ["Accept"] = [$"application/json;as={form};g=meta.k8s.io;v=v1,application/json"] };
}
