namespace Orchestrator.HostAgent.Tests.World;

/// <summary>Tests that share the lab's engines, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class LabCollection : ICollectionFixture<AgentWorld>
{
    public const string Name = "lab";
}
