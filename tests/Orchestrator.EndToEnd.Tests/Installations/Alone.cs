namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>Tests that do to hosts what other installations would notice, or that need both processors: one at a time.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
