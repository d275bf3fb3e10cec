namespace Orchestrator.ControlPlane.WebApps;

/// <summary>Why what is asked for cannot be rolled out: what it refers to comes to nothing that could be run, or its rules to no rollout.</summary>
/// <param name="Reason">One CamelCase word.</param>
/// <param name="Message">For people; never with any of the content.</param>
internal sealed record RolloutProblem(string Reason, string Message);
