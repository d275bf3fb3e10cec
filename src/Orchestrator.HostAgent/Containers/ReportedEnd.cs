namespace Orchestrator.HostAgent.Containers;

/// <summary>What a <c>die</c> event said.</summary>
/// <param name="At">When it was sent, by the engine's clock: after the run had ended, and before the next one began.</param>
public sealed record ReportedEnd(long ExitCode, DateTimeOffset At);
