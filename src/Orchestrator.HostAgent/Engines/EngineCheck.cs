using k8s.Models;
using Orchestrator.Api.DockerHosts;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Tries an engine before anything about it is stored.</summary>
public static class EngineCheck
{
    /// <exception cref="EngineException">It is none that an engine can be reached at; the sentence says why.</exception>
    public static void RequireEndpoint(string endpoint) => EngineEndpoint.Parse(endpoint);

    /// <param name="secret">What <c>spec.tlsSecretName</c> or <c>spec.sshSecretName</c> names; null where neither is given.</param>
    /// <returns>What the engine says of itself.</returns>
    /// <exception cref="EngineException">It cannot be used; the sentence says why, and what to do.</exception>
    public static async Task<EngineFacts> RunAsync(DockerHost host, V1Secret? secret, TimeProvider time, CancellationToken cancellationToken)
    {
        var credentials = EngineCredentials.Parse(host, secret);
        var pipeline = new EnginePipeline(host.Metadata.Name, time);
        using var connection = await EngineConnector.OpenAsync(host, credentials, pipeline, time, cancellationToken);
        return connection.Facts;
    }
}
