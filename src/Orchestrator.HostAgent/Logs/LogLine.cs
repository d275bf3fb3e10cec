namespace Orchestrator.HostAgent.Logs;

/// <summary>One line that a container wrote.</summary>
/// <param name="Time">When the engine took it; null if it did not say.</param>
/// <param name="IsError">Written to standard error.</param>
/// <param name="Text">Without its end of line; may hold anything else, escape sequences included.</param>
public sealed record LogLine(DateTimeOffset? Time, bool IsError, string Text);

/// <summary>Which part of a log is read.</summary>
/// <param name="Follow">Go on with what is written later, until the container stops.</param>
/// <param name="Tail">Only so many of the last lines; all when null.</param>
/// <param name="Since">Only lines later than this; all when null.</param>
public sealed record LogRequest(bool Follow, int? Tail, DateTimeOffset? Since);
