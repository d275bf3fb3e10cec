namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>One installation for all tests of a class, each of which has apps of its own.</summary>
public sealed class SharedInstallation : IAsyncLifetime
{
    internal Installation Installation { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Installation = await Installation.StartAsync();

    public ValueTask DisposeAsync() => Installation.DisposeAsync();
}
