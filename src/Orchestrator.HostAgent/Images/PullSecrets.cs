using k8s;
using k8s.Autorest;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Images;

/// <summary>Reads the registry logins that a Replica names, at each pull: nothing of them is kept.</summary>
internal sealed class PullSecrets(IKubernetes kubernetes)
{
    /// <summary>
    /// As with the kubelet, a Secret that is missing, malformed or out of reach does not prevent the pull: the image may be public. What was
    /// wrong is told only if the pull fails.
    /// </summary>
    public async Task<(IReadOnlyList<RegistryCredentials> Logins, IReadOnlyList<string> Problems)> ForAsync(
        Replica replica, ImageReference image, CancellationToken cancellationToken)
    {
        var logins = new List<RegistryCredentials>();
        var problems = new List<string>();
        foreach (var reference in replica.Spec.Template.ImagePullSecrets ?? [])
        {
            try
            {
                var secret = await kubernetes.CoreV1.ReadNamespacedSecretAsync(
                    reference.Name, replica.Metadata.NamespaceProperty, cancellationToken: cancellationToken);
                if (secret.Data is not null && secret.Data.TryGetValue(DockerConfig.SecretKey, out var json))
                {
                    logins.AddRange(DockerConfig.Parse(json).For(image));
                }
                else
                {
                    problems.Add($"Secret {reference.Name} has no key {DockerConfig.SecretKey}");
                }
            }
            catch (HttpOperationException failure)
            {
                problems.Add(failure.Response.StatusCode == System.Net.HttpStatusCode.NotFound
                    ? $"there is no Secret {reference.Name} in namespace {replica.Metadata.NamespaceProperty}"
                    : $"Secret {reference.Name} cannot be read ({(int)failure.Response.StatusCode})");
            }
            catch (Exception failure) when (failure is HttpRequestException
                || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                problems.Add($"Secret {reference.Name} cannot be read: the API server does not answer");
            }
            catch (FormatException failure)
            {
                problems.Add($"Secret {reference.Name}: {failure.Message}");
            }
        }

        return (logins, problems);
    }
}
