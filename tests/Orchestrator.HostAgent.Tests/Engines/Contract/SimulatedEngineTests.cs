using Orchestrator.Api;
using Orchestrator.SimulatedEngines;

namespace Orchestrator.HostAgent.Tests.Engines.Contract;

/// <summary>A simulated engine is as the agent takes engines to be.</summary>
public sealed class SimulatedEngineTests : EngineContract
{
    private readonly TemporaryFolder _folder = new();
    private EngineServer? _server;

    protected override string Endpoint => $"unix://{Options.SocketOf(2)}";

    protected override string Address => "127.0.0.1";

    protected override ImageReference Image => ImageReference.Parse("registry.invalid/web:v1")!;

    protected override ImageReference SpareImage => ImageReference.Parse("registry.invalid/spare:v1")!;

    // The second of two: one that took the other's calls would be found out.
    private SimulationOptions Options => new(_folder["engines"], 2, ["registry.invalid/web:v1", "registry.invalid/spare:v1"]) { Latencies = EngineLatencies.Measured.Scaled(0) };

    protected override async Task PrepareAsync() => _server = await EngineServer.StartAsync(Options, TimeProvider.System);

    protected override async Task CleanUpAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }
}
