using Orchestrator.Api;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Engines.Contract;

/// <summary>A real engine is as the agent, and so the simulation, takes engines to be.</summary>
[Collection(LabCollection.Name)]
public sealed class RealEngineTests(AgentWorld world) : EngineContract
{
    private LabHost Host => world.Lab.Hosts[1];

    protected override string Endpoint => $"unix://{Host.Socket}";

    protected override string Address => Host.Address;

    protected override ImageReference Image => ImageReference.Parse(world.Lab.WebImage)!;

    protected override ImageReference SpareImage => ImageReference.Parse($"{world.Lab.Registry}/broken:v1")!;
}
