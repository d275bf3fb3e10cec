using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api;

/// <summary>
/// How the kinds we use are read and written as JSON. KubernetesClient's own table of a thousand kinds is searched from its start,
/// and each kind that is passed is loaded for good: 10 MB in each process, before the first answer is read.
/// </summary>
public static class ModelJson
{
    /// <summary>Makes <see cref="KubernetesJson"/> look here first. To be called before it is used for anything else.</summary>
    public static void Use() => KubernetesJson.AddJsonOptions(options =>
    {
        options.TypeInfoResolverChain.Insert(0, ModelJsonContext.Default);
        options.TypeInfoResolverChain.Insert(1, new DefaultJsonTypeInfoResolver());
    });
}

[JsonSerializable(typeof(WebApp))]
[JsonSerializable(typeof(Replica))]
[JsonSerializable(typeof(DockerHost))]
[JsonSerializable(typeof(CustomResourceList<WebApp>))]
[JsonSerializable(typeof(CustomResourceList<Replica>))]
[JsonSerializable(typeof(CustomResourceList<DockerHost>))]
[JsonSerializable(typeof(V1Lease))]
[JsonSerializable(typeof(V1LeaseList))]
[JsonSerializable(typeof(V1ControllerRevision))]
[JsonSerializable(typeof(V1ControllerRevisionList))]
[JsonSerializable(typeof(V1Secret))]
[JsonSerializable(typeof(V1SecretList))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1ConfigMapList))]
[JsonSerializable(typeof(V1Namespace))]
[JsonSerializable(typeof(Corev1Event))]
[JsonSerializable(typeof(V1Status))]
[JsonSerializable(typeof(V1DeleteOptions))]
internal sealed partial class ModelJsonContext : JsonSerializerContext;
