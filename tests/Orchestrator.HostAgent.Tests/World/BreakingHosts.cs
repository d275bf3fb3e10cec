namespace Orchestrator.HostAgent.Tests.World;

/// <summary>Tests that break hosts, or come between them and us, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class BreakingHosts : ICollectionFixture<WorldToBreak>
{
    public const string Name = "breaking hosts";
}
