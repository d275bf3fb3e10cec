using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Which revision an app's replicas are to have. Pure, from what the user asks for and what the status remembers: a revision that
/// has failed is not tried again, and a paused app stays where it is.
/// </summary>
/// <param name="Update">The revision that is asked for; null for an app that was paused before its first.</param>
/// <param name="Run">The revision that new replicas get; null: there are to be none.</param>
/// <param name="IsPaused">Replicas of any revision may stay.</param>
internal sealed record RolloutTarget(string? Update, string? Run, bool IsPaused)
{
    /// <summary>Whether <see cref="Update"/> has failed and the stable revision is to serve in its place.</summary>
    public bool IsRolledBack { get; private init; }

    /// <summary>The revision that is tried beside <see cref="Run"/>; null when none is.</summary>
    public string? Canary { get; private init; }

    public static RolloutTarget Of(WebApp app)
    {
        var (status, paused) = (app.Status, app.Spec.Paused ?? false);
        var update = paused ? status?.UpdateRevision : RevisionHash.Of(app.Spec);
        var stable = status?.CurrentRevision;
        var failed = update is not null && stable is not null && stable != update && status?.FailedRollout?.Revision == update;

        // In a pause what is missing is made of the revision that is known to work.
        var canary = update is not null && !failed && CanaryCourse.IsOnTrial(app, update);
        return new(update, failed || paused || canary ? stable ?? update : update, paused)
        {
            IsRolledBack = failed,
            Canary = canary ? update : null,
        };
    }

    /// <summary>Whether a replica of this revision is to be replaced.</summary>
    public bool Replaces(string revision) => !IsPaused && revision != Run && revision != Canary;
}
