using k8s;
using k8s.Models;

namespace Orchestrator.Runtime;

/// <summary>Names an object of one kind: what a reconcile is given, and all it is given. No namespace: cluster-wide.</summary>
public readonly record struct ObjectKey(string? Namespace, string Name)
{
    public static ObjectKey Of(IKubernetesObject<V1ObjectMeta> obj) => new(obj.Metadata.NamespaceProperty, obj.Metadata.Name);

    public override string ToString() => Namespace is null ? Name : $"{Namespace}/{Name}";
}
