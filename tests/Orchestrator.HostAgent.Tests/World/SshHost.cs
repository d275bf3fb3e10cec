using Orchestrator.Testing.Lab;

namespace Orchestrator.HostAgent.Tests.World;

/// <summary>The last host of <see cref="AgentWorld"/>, to be reached by ssh too.</summary>
public class SshHost : IAsyncLifetime
{
    internal LabHost Host { get; private set; } = null!;

    internal SshServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = LoadLab().Hosts[^1];
        Server = await SshServer.StartAsync(Host.NetworkNamespace, Host.Address, Host.Socket);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Server.DisposeAsync();
    }

    private protected virtual Lab LoadLab() => Lab.Load();
}

/// <summary>The last host of <see cref="WorldToBreak"/>.</summary>
public sealed class SshHostToBreak : SshHost
{
    private protected override Lab LoadLab() => Lab.LoadToBreak();
}
