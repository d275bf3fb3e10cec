namespace Orchestrator.EndToEnd.Tests.Installations;

/// <summary>Tests that do to hosts what other installations would notice: one at a time, on hosts that no other test uses.</summary>
[CollectionDefinition]
public sealed class BreakingHosts;
