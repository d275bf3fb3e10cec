using Orchestrator.Api;
using Orchestrator.HostAgent.Tests.World;

namespace Orchestrator.HostAgent.Tests.Engines.Contract;

/// <summary>An engine behind ssh is as any other.</summary>
[Collection(LabCollection.Name)]
public sealed class SshEngineTests(AgentWorld world, SshHost ssh) : EngineContract, IClassFixture<SshHost>
{
    protected override string Endpoint => ssh.Server.EndpointOf("root");

    protected override string Address => ssh.Host.Address;

    protected override ImageReference Image => ImageReference.Parse(world.Lab.WebImage)!;

    protected override ImageReference SpareImage => ImageReference.Parse($"{world.Lab.Registry}/broken:v1")!;
}
