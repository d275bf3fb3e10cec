using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;

namespace Orchestrator.ControlPlane.WebApps.Contents;

/// <summary>The content of an app's revisions: of the one that is asked for what the references hold, of any other what was kept.</summary>
internal sealed class AppContents(LiveContents live, KeptContents kept, IEventRecorder events)
{
    public void Forget(ObjectKey app) => live.Forget(app);

    public async Task<AppContent> LookAsync(WebApp app, CancellationToken cancellationToken)
    {
        if (!app.Spec.HasReferences)
        {
            return AppContent.None;
        }

        var found = await live.LookAsync(app, cancellationToken);

        // Where something is missing there is no live content; what was kept needs none.
        return ContentStandIn.Of(app) is { } standIn && standIn.Holds(app.Spec, found.Hash) && kept.Has(app, standIn.Revision)
            ? new(found.Hash, standIn.HashOrNull, Problem: null)
            : new(found.Hash, found.Hash, found.Problem);
    }

    /// <summary>Whether replicas of a revision can be made.</summary>
    public bool Has(WebApp app, string revision, ReplicaTemplate template) => !template.HasReferences || kept.Has(app, revision);

    /// <summary>Keeps the content of the revision that is asked for, before anything is made of it.</summary>
    /// <exception cref="ContentChangedException">It is not what it was a moment ago: look again.</exception>
    public async Task KeepAsync(WebApp app, RolloutTarget target, CancellationToken cancellationToken)
    {
        if (target is not { Template: { HasReferences: true } template, IsPaused: false, Update: { } revision } || kept.Has(app, revision))
        {
            return;
        }

        var found = await live.ReadAsync(app, cancellationToken);
        if (found.Content is not { } content || found.Hash != template.ContentHash)
        {
            throw new ContentChangedException();
        }

        await kept.KeepAsync(app, revision, content, cancellationToken);
        if (found.Skipped.Count > 0)
        {
            events.Record(app, EventTypes.Warning, WebAppReasons.InvalidEnvironmentVariableNames,
                $"left out what cannot be an environment variable: {string.Join(", ", found.Skipped.Take(10))}{(found.Skipped.Count > 10 ? $" and {found.Skipped.Count - 10} more" : "")}");
        }
    }

    public Task DropOthersAsync(WebApp app, IReadOnlySet<string> revisions, CancellationToken cancellationToken) =>
        kept.DeleteOthersAsync(app, revisions, cancellationToken);
}

/// <summary>What an app refers to has changed while it was looked at; the next look decides.</summary>
internal sealed class ContentChangedException() : Exception("what the app refers to has just changed");
