namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>As <see cref="SharedInstallation"/>, with hosts that may be broken.</summary>
public sealed class SharedInstallationToBreak : IAsyncLifetime
{
    internal Installation Installation { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Installation = await Installation.StartToBreakAsync();

    public ValueTask DisposeAsync() => Installation.DisposeAsync();
}
