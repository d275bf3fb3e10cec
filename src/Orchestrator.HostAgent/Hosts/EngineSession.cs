using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Hosts;

/// <summary>An engine for as long as it can be reached.</summary>
/// <param name="Ended">Cancelled when the connection is given up: whoever still waits for an answer stops waiting.</param>
internal sealed record EngineSession(IEngine Engine, CancellationToken Ended);
