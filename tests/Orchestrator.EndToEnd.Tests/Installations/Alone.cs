namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>Tests that need both processors: one at a time, with no other beside.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
