using Docker.DotNet;

namespace Orchestrator.HostAgent.Engines;

/// <summary>An open way to an engine whose API version has been agreed on.</summary>
internal sealed record EngineConnection(DockerClient Client, EngineDialer Dialer, EngineCertificates? Certificates, EngineFacts Facts) : IDisposable
{
    public void Dispose()
    {
        Client.Dispose();
        Dialer.Dispose();
        Certificates?.Dispose();
    }
}
