using Docker.DotNet;
using Docker.DotNet.NativeHttp;
using k8s;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines.Ssh;
using Orchestrator.Runtime.Connections;
using VersionResponse = Docker.DotNet.Models.VersionResponse;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Makes connections to the engines of DockerHosts: how each is reached, trusted and understood.</summary>
/// <param name="sshProgram">A path, or a name to look for.</param>
internal sealed class EngineConnector(IKubernetes kubernetes, TimeProvider time, string sshProgram = SshConnections.DefaultProgram)
{
    /// <summary>Docker 20.10, the oldest that Debian and Ubuntu still ship.</summary>
    public static readonly Version OldestApi = new(1, 41);

    /// <summary>What Docker.DotNet is generated from (29.4). Newer engines speak it too.</summary>
    public static readonly Version NewestApi = new(1, 54);

    /// <summary>Pulls, stops and event streams hold a connection each for as long as they take.</summary>
    private const int MaxConnections = 128;

    /// <summary>Of the files that this process may have open: the rest is for what the hosts that are connected need, for probes and for the API.</summary>
    private const double MostOpen = 0.75;

    /// <exception cref="EngineException">The sentence says what is wrong and where to mend it.</exception>
    public async Task<IEngine> ConnectAsync(DockerHost host, EnginePipeline pipeline, CancellationToken cancellationToken)
    {
        var files = OpenFiles.OfThisProcess;
        if (!files.TryBegin(MostOpen))
        {
            throw new EngineException(EngineFailure.Unreachable, $"not connected, another engine would be too many: {files}");
        }

        var connection = await OpenAsync(host, pipeline, cancellationToken);
        return new DockerEngine(connection.Client, connection.Dialer, connection.Certificates, connection.Facts, pipeline, time);
    }

    /// <summary>For callers that need the client itself, for calls that no agent makes.</summary>
    /// <inheritdoc cref="ConnectAsync" path="/exception"/>
    public async Task<EngineConnection> OpenAsync(DockerHost host, EnginePipeline pipeline, CancellationToken cancellationToken)
    {
        var credentials = await EngineCredentials.ReadAsync(kubernetes, host, cancellationToken);
        return await OpenAsync(host, credentials, pipeline, time, cancellationToken, sshProgram);
    }

    /// <param name="credentials">Disposed of with the connection, and when there is none.</param>
    /// <inheritdoc cref="ConnectAsync" path="/exception"/>
    public static async Task<EngineConnection> OpenAsync(
        DockerHost host,
        EngineCredentials credentials,
        EnginePipeline pipeline,
        TimeProvider time,
        CancellationToken cancellationToken,
        string sshProgram = SshConnections.DefaultProgram)
    {
        DockerClient? client = null;
        EngineDialer? dialer = null;
        var certificates = credentials.Tls;
        try
        {
            dialer = new EngineDialer(EngineEndpoint.Parse(host.Spec.Endpoint), credentials, time, sshProgram);

            // Until the next call has come about: by ssh that is a channel of this one's login then.
            using var unversioned = Client(dialer, null);
            var version = await FirstAnswerAsync(unversioned, dialer, certificates, pipeline, cancellationToken);
            var api = Negotiate(version.Version, version.APIVersion, version.MinAPIVersion);
            client = Client(dialer, api);
            var info = await pipeline.RunAsync(
                EngineOperation.Info, EngineCalls.Guard(client.System.GetSystemInfoAsync, dialer, certificates), cancellationToken);
            var facts = new EngineFacts(version.Version, api.ToString(), info.OperatingSystem, version.Arch, info.NCPU, info.MemTotal, info.DockerRootDir);
            return new EngineConnection(client, dialer, certificates, facts);
        }
        catch
        {
            client?.Dispose();
            dialer?.Dispose();
            credentials.Dispose();
            throw;
        }
    }

    /// <summary>
    /// With TLS 1.3 an engine refuses our certificate after the handshake, and its reset may overtake the alert that says so: a
    /// connection lost before the very first answer, on each of the pipeline's tries, is told as that. One cause has one reason
    /// then; an engine that dies at this very moment is told right by the next try.
    /// </summary>
    private static async Task<VersionResponse> FirstAnswerAsync(
        DockerClient client, EngineDialer dialer, EngineCertificates? certificates, EnginePipeline pipeline, CancellationToken cancellationToken)
    {
        var operation = dialer.Endpoint.Transport == EngineTransport.Ssh ? EngineOperation.VersionThroughLogin : EngineOperation.Version;
        try
        {
            return await pipeline.RunAsync(
                operation, EngineCalls.Guard(client.System.GetVersionAsync, dialer, certificates), cancellationToken);
        }
        catch (EngineException lost) when (lost.Failure == EngineFailure.Interrupted && certificates is not null)
        {
            throw new EngineException(
                EngineFailure.Tls, $"{dialer.Endpoint} closed the connection before it answered; perhaps {TlsErrors.Refusal(dialer.Endpoint, certificates)}", lost);
        }
    }

    /// <returns>The newest version that both sides speak.</returns>
    internal static Version Negotiate(string engineVersion, string newestOfEngine, string? oldestOfEngine)
    {
        if (!Version.TryParse(newestOfEngine, out var newest))
        {
            throw new EngineException(EngineFailure.Incompatible, $"the engine says its API version is '{newestOfEngine}'; is it Docker?");
        }

        var agreed = newest < NewestApi ? newest : NewestApi;
        if (agreed < OldestApi)
        {
            throw new EngineException(
                EngineFailure.Incompatible, $"Docker {engineVersion} is too old: it speaks API {newest}, at least {OldestApi} (Docker 20.10) is needed");
        }

        return Version.TryParse(oldestOfEngine, out var oldest) && oldest > agreed
            ? throw new EngineException(
                EngineFailure.Incompatible, $"Docker {engineVersion} is too new: it speaks no API older than {oldest}, this Orchestrator none newer than {NewestApi}")
            : agreed;
    }

    private static DockerClient Client(EngineDialer dialer, Version? api)
    {
        // The transport takes no unix:// address and does TLS by itself in its own way: it is given plain HTTP to dial through.
        var builder = new DockerClientBuilder().WithEndpoint(new Uri("http://docker"));
        builder = api is null ? builder : builder.WithApiVersion(api);
        return builder
            .WithTimeout(Timeout.InfiniteTimeSpan)
            .WithTransportOptions(new NativeHttpTransportOptions
            {
                ConfigureHandler = handler =>
                {
                    handler.ConnectCallback = dialer.DialAsync;
                    handler.ConnectTimeout = Timeout.InfiniteTimeSpan;
                    handler.MaxConnectionsPerServer = dialer.Endpoint.Transport == EngineTransport.Ssh ? SshConnections.Most : MaxConnections;
                    handler.UseProxy = false;
                    handler.UseCookies = false;
                    handler.AllowAutoRedirect = false;
                },
            })
            .Build();
    }
}
