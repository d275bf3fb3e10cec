using System.Text;
using k8s.Models;

namespace Orchestrator.ControlPlane.WebApps.Contents;

/// <summary>What a ConfigMap or Secret holds.</summary>
/// <param name="Version">Uid and resourceVersion.</param>
/// <param name="Variables">What can be a variable's value: not a ConfigMap's binaryData, as in Kubernetes.</param>
/// <param name="Files">What can be a file's.</param>
internal sealed record SourceContent(string Version, IReadOnlyDictionary<string, byte[]> Variables, IReadOnlyDictionary<string, byte[]> Files)
{
    private static readonly Dictionary<string, byte[]> Nothing = [];

    public static SourceContent Of(V1ConfigMap map)
    {
        var texts = (map.Data ?? new Dictionary<string, string>()).ToDictionary(entry => entry.Key, entry => Encoding.UTF8.GetBytes(entry.Value ?? ""));
        var all = texts.Concat(map.BinaryData ?? Nothing).DistinctBy(entry => entry.Key).ToDictionary(entry => entry.Key, entry => entry.Value ?? []);
        return new(VersionOf(map.Metadata), texts, all);
    }

    public static SourceContent Of(V1Secret secret)
    {
        var data = (secret.Data ?? Nothing).ToDictionary(entry => entry.Key, entry => entry.Value ?? []);
        return new(VersionOf(secret.Metadata), data, data);
    }

    public static string VersionOf(V1ObjectMeta metadata) => $"{metadata.Uid}/{metadata.ResourceVersion}";
}
