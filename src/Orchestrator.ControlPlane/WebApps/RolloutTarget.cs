using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.ControlPlane.WebApps.Contents;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Which revision an app's replicas are to have. Pure, from what the user asks for and what the status remembers: a revision that
/// has failed is not tried again, and an app that is paused, or asks for what cannot be, stays where it is.
/// </summary>
/// <param name="Update">The revision that is asked for; null for an app that was held before its first.</param>
/// <param name="Run">The revision that new replicas get; null: there are to be none.</param>
/// <param name="IsPaused">Replicas of any revision may stay.</param>
internal sealed record RolloutTarget(string? Update, string? Run, bool IsPaused)
{
    /// <summary>Whether <see cref="Update"/> has failed and the stable revision is to serve in its place.</summary>
    public bool IsRolledBack { get; private init; }

    /// <summary>The revision that is tried beside <see cref="Run"/>; null when none is.</summary>
    public string? Canary { get; private init; }

    /// <summary>Why what is asked for cannot be made; it is paused then, unless it goes back.</summary>
    public RolloutProblem? Problem { get; private init; }

    /// <summary>What is asked for, with the hash of its content; null when there is a <see cref="Problem"/>.</summary>
    public ReplicaTemplate? Template { get; private init; }

    /// <param name="content">Null for an app without references.</param>
    public static RolloutTarget Of(WebApp app, AppContent? content = null)
    {
        var (status, paused) = (app.Status, app.Spec.Paused ?? false);
        var problem = content?.Problem ?? ProblemOf(app.Spec.Strategy);
        var template = problem is null ? app.Spec.ToTemplate(content?.Asked) : null;
        var update = paused || template is null ? status?.UpdateRevision : RevisionHash.Of(template);
        var stable = status?.CurrentRevision;
        var failed = update is not null && stable is not null && stable != update && status?.FailedRollout?.Revision == update;

        // Where nothing is to move, what is missing is made of the revision that is known to work. Taking back goes on without what it
        // does not need.
        var held = paused || (template is null && !failed);
        var canary = update is not null && !failed && CanaryCourse.IsOnTrial(app, update);
        return new(update, failed || held || canary ? stable ?? update : update, held)
        {
            IsRolledBack = failed,
            Canary = canary ? update : null,
            Problem = problem,
            Template = template,
        };
    }

    /// <summary>Whether a replica of this revision is to be replaced.</summary>
    public bool Replaces(string revision) => !IsPaused && revision != Run && revision != Canary;

    /// <summary>
    /// What the schema cannot say, and a server that knows no more than the schema lets through: a canary without steps would be a rolling
    /// update of everything, with nobody told. (What else it cannot say leaves a field without effect.)
    /// </summary>
    private static RolloutProblem? ProblemOf(RolloutStrategy? strategy) => strategy is { Type: RolloutStrategy.Canary, CanarySteps: null or { Steps.Count: 0 } }
        ? new(WebAppReasons.InvalidStrategy, "spec.strategy.canary: Required value: steps are needed when strategy `type` is 'Canary'")
        : null;
}
