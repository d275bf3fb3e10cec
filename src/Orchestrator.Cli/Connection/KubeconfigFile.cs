using k8s.KubeConfigModels;
using YamlDotNet.Serialization;

namespace Orchestrator.Cli.Connection;

/// <summary>
/// Reads a kubeconfig. KubernetesClient's own reader first learns the YAML form of every kind of Kubernetes: a third of a second of
/// processor time and 20 MB that stay, in each process, for a file with four kinds of its own.
/// </summary>
internal static class KubeconfigFile
{
    /// <exception cref="YamlDotNet.Core.YamlException">It is no kubeconfig.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor may it be.</exception>
    public static K8SConfiguration Read(string path)
    {
        var full = Path.GetFullPath(path);
        var deserializer = new DeserializerBuilder().IgnoreUnmatchedProperties().Build();
        var config = deserializer.Deserialize<K8SConfiguration?>(File.ReadAllText(full)) ?? new();

        // Paths in it are seen from where it lies, whichever files it is merged with.
        var folder = Path.GetDirectoryName(full)!;
        foreach (var endpoint in (config.Clusters ?? []).Select(cluster => cluster.ClusterEndpoint).OfType<ClusterEndpoint>())
        {
            endpoint.CertificateAuthority = From(folder, endpoint.CertificateAuthority);
        }

        foreach (var user in (config.Users ?? []).Select(user => user.UserCredentials).OfType<UserCredentials>())
        {
            user.ClientCertificate = From(folder, user.ClientCertificate);
            user.ClientKey = From(folder, user.ClientKey);
        }

        return config;
    }

    private static string? From(string folder, string? path) => string.IsNullOrEmpty(path) ? path : Path.Combine(folder, path);
}
