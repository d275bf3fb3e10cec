using k8s;
using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Who we are to one engine, and whom we trust there, from the Secret that its DockerHost names; both null where it names none.</summary>
internal sealed record EngineCredentials(EngineCertificates? Tls, SshIdentity? Ssh) : IDisposable
{
    private const string TlsField = "spec.tlsSecretName";
    private const string SshField = "spec.sshSecretName";

    /// <returns>Null where it names none.</returns>
    public static string? SecretNameOf(DockerHostSpec spec) => spec.TlsSecretName ?? spec.SshSecretName;

    /// <exception cref="EngineException">The Secret does not suit the endpoint, cannot be read, or is not what it should be.</exception>
    public static async Task<EngineCredentials> ReadAsync(IKubernetes kubernetes, DockerHost host, CancellationToken cancellationToken)
    {
        RequireSuited(host);
        return host.Spec switch
        {
            { TlsSecretName: { } name } => OfTls(await EngineSecret.ReadAsync(kubernetes, name, TlsField, EngineFailure.Tls, cancellationToken)),
            { SshSecretName: { } name } => OfSsh(await EngineSecret.ReadAsync(kubernetes, name, SshField, EngineFailure.Ssh, cancellationToken)),
            _ => new EngineCredentials(null, null),
        };
    }

    /// <param name="secret">What the host names, which need not be stored yet; null where it names none.</param>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public static EngineCredentials Parse(DockerHost host, V1Secret? secret)
    {
        RequireSuited(host);
        return (host.Spec, secret) switch
        {
            ({ TlsSecretName: { } name }, not null) => OfTls(new EngineSecret(name, TlsField, EngineFailure.Tls, secret)),
            ({ SshSecretName: { } name }, not null) => OfSsh(new EngineSecret(name, SshField, EngineFailure.Ssh, secret)),
            _ => new EngineCredentials(null, null),
        };
    }

    public void Dispose() => Tls?.Dispose();

    private static EngineCredentials OfTls(EngineSecret secret) => new(EngineCertificates.Parse(secret), null);

    private static EngineCredentials OfSsh(EngineSecret secret) => new(null, SshIdentity.Parse(secret));

    private static void RequireSuited(DockerHost host)
    {
        var transport = EngineEndpoint.Parse(host.Spec.Endpoint).Transport;
        if (host.Spec.TlsSecretName is not null && transport != EngineTransport.Tcp)
        {
            throw new EngineException(
                EngineFailure.Incompatible, $"{TlsField} is for tcp endpoints; a unix socket has no TLS, and ssh has keys of its own ({SshField})");
        }

        if (host.Spec.SshSecretName is not null && transport != EngineTransport.Ssh)
        {
            throw new EngineException(EngineFailure.Incompatible, $"{SshField} is for ssh endpoints; the endpoint is {host.Spec.Endpoint}");
        }
    }
}
