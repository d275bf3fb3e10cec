using Orchestrator.Testing.Lab;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>The lab's last host, to be reached by ssh too.</summary>
public sealed class SshHost : IAsyncLifetime
{
    internal LabHost Host { get; private set; } = null!;

    internal SshServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = Lab.Load().Hosts[^1];
        Server = await SshServer.StartAsync(Host.NetworkNamespace, Host.Address, Host.Socket);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
