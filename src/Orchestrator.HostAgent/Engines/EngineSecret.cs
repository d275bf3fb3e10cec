using System.Text;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Api;

namespace Orchestrator.HostAgent.Engines;

/// <summary>The Secret that a DockerHost names for the way to its engine. What is wrong with it is told with the field that names it.</summary>
internal sealed class EngineSecret(string name, string field, EngineFailure failure, V1Secret secret)
{
    /// <summary>Without a namespace: it is <see cref="ApiGroup.SystemNamespace"/>.</summary>
    public string Name => name;

    /// <summary>Reads it anew: what it held when the last connection was made may have been replaced since.</summary>
    /// <param name="field">Of the DockerHost.</param>
    /// <param name="failure">What it is when the Secret is not what it should be.</param>
    /// <exception cref="EngineException">There is no such Secret, or it cannot be read.</exception>
    public static async Task<EngineSecret> ReadAsync(
        IKubernetes kubernetes, string name, string field, EngineFailure failure, CancellationToken cancellationToken)
    {
        try
        {
            return new EngineSecret(
                name, field, failure, await kubernetes.CoreV1.ReadNamespacedSecretAsync(name, ApiGroup.SystemNamespace, cancellationToken: cancellationToken));
        }
        catch (HttpOperationException answer) when (answer.Response.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            throw new EngineException(failure, $"there is no Secret {name} ({field}) in namespace {ApiGroup.SystemNamespace}", answer);
        }
        catch (HttpOperationException answer) when (answer.Response.StatusCode == System.Net.HttpStatusCode.Forbidden)
        {
            throw new EngineException(
                failure, $"the Secret {name} ({field}) cannot be read: the API server forbids it; Secrets in namespace {ApiGroup.SystemNamespace} must be open to who connects", answer);
        }
        catch (HttpOperationException answer)
        {
            throw new EngineException(failure, $"the Secret {name} ({field}) cannot be read: {(int)answer.Response.StatusCode}", answer);
        }
        catch (HttpRequestException silence)
        {
            throw new EngineException(
                EngineFailure.Unreachable, $"the Secret {name} ({field}) cannot be read: the API server does not answer", silence);
        }
    }

    /// <exception cref="EngineException">It has no such key.</exception>
    public string Text(string key) => Find(key) ?? throw new EngineException(failure, $"{this} has no key {key}");

    /// <returns>Null when it has no such key.</returns>
    public string? Find(string key) =>
        secret.Data is not null && secret.Data.TryGetValue(key, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;

    /// <param name="what">Follows its name. Nothing of its content: this goes into statuses and logs.</param>
    public EngineException Odd(string what) => new(failure, $"{this}: {what}");

    public override string ToString() => $"the Secret {name} ({field})";
}
