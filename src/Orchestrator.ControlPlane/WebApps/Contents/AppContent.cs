namespace Orchestrator.ControlPlane.WebApps.Contents;

/// <summary>What an app's references come to, as far as a rollout is decided by it: hashes, and no content.</summary>
/// <param name="Live">Hash of what the ConfigMaps and Secrets hold now; null where nothing counts.</param>
/// <param name="Asked">Hash of the content to run: <paramref name="Live"/>, or that of an earlier revision after an undo.</param>
/// <param name="Problem">Null when all is there.</param>
internal sealed record AppContent(string? Live, string? Asked, RolloutProblem? Problem)
{
    /// <summary>Of an app without references.</summary>
    public static readonly AppContent None = new(null, null, null);

    /// <summary>Nobody has looked.</summary>
    public static readonly AppContent Unknown = new(null, null, new(WebAppReasons.ConfigurationNotFound, "its content has not been looked at"));
}
