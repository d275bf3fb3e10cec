using k8s;
using Orchestrator.Api.Contents;
using Orchestrator.Api.Replicas;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.HostAgent.Containers;

/// <summary>Reads the content of a Replica's revision, at each making of a container: nothing of it is kept here.</summary>
internal sealed class ContentReader(IKubernetes kubernetes)
{
    private readonly ContentClient _client = new(kubernetes, "orchestrator-agent");

    /// <returns>The content, or why there is none, for people.</returns>
    public async Task<(RevisionContent? Content, string? Problem)> ReadAsync(Replica replica, CancellationToken cancellationToken)
    {
        var name = RevisionContent.NameOf(replica.Spec.AppName, replica.Spec.Revision);
        var subject = $"Secret \"{name}\", which has the content of its revision,";
        try
        {
            var secret = await _client.GetSecretAsync(new ObjectKey(replica.Metadata.NamespaceProperty, name), cancellationToken);
            return secret is null ? (null, $"{subject} is not there")
                : secret.Type != RevisionContent.SecretType ? (null, $"{subject} is of type {secret.Type}")
                : (RevisionContent.Decode(secret.Data), null);
        }
        catch (ApiException failure)
        {
            return (null, $"{subject} cannot be read: {failure.Message}");
        }
        catch (FormatException failure)
        {
            return (null, $"{subject} cannot be used: {failure.Message}");
        }
        catch (Exception failure) when (failure is HttpRequestException
            || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return (null, $"{subject} cannot be read: the API server does not answer");
        }
    }
}
