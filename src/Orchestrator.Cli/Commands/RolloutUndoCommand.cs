using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Writes the template of an earlier revision back into an app's spec, with its content. Replicas, route, placement and the like stay.</summary>
internal sealed class RolloutUndoCommand : AppChangeCommand, IHasExamples
{
    private readonly Option<long?> _revision = new("--to-revision")
    {
        Description = "Number of the revision, as in `rollout history`. Default: the one before; after a failed rollout the one that runs.",
        HelpName = "N",
    };

    public RolloutUndoCommand()
        : base("undo", "Go back to an earlier revision.") => Options.Add(_revision);

    public IReadOnlyList<string> Examples => ["orc rollout undo web", "orc rollout undo web --to-revision 3 --wait"];

    protected override async Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        if (RolloutPauseCommand.IsPaused(live))
        {
            throw CommandException.Failed($"cannot undo a paused rollout; resume it first with 'orc rollout resume {app.Name}'");
        }

        var present = TemplateFields.RevisionOf(live);
        var kept = await AppRevision.ListAsync(session, app, live, cancellationToken);
        var target = line.GetValue(_revision) is { } number ? AppRevision.Numbered(number, kept, app) : Before(present, kept, live, app);

        // Equal revisions may be written differently (0.5 and 500m): what is the same is left as it is.
        var isThere = target.Hash == present;
        return new(
            isThere ? [] : TemplateFields.Patch(live["spec"], target.Template),
            $"rolled back to revision {target.Number.ToString(CultureInfo.InvariantCulture)}")
        {
            Annotations = isThere ? null : StandInFor(target, live),
        };
    }

    /// <summary>
    /// The template alone would come back with what its ConfigMaps and Secrets hold today: the content of then is asked for with it,
    /// unless it is the same.
    /// </summary>
    private static JsonObject? StandInFor(AppRevision target, JsonObject live)
    {
        var now = (string?)live["status"]?["contentHash"];
        var standIn = target.ContentHash == now ? null : new ContentStandIn(target.Hash, target.ContentHash ?? "", now ?? "").ToString();
        return standIn == (string?)live["metadata"]?["annotations"]?[Annotations.Content] ? null : new JsonObject { [Annotations.Content] = standIn };
    }

    /// <summary>The newest that is another; when the present one has failed, others before it may have too: then the one that runs.</summary>
    private static AppRevision Before(string present, IReadOnlyList<AppRevision> kept, JsonObject live, Awaited app)
    {
        if ((string?)live["status"]?["failedRollout"]?["revision"] == present && (string?)live["status"]?["currentRevision"] is { } runs && runs != present)
        {
            return kept.FirstOrDefault(one => one.Hash == runs)
                ?? throw CommandException.Failed($"revision {runs}, which {app} runs, is no longer kept; choose one with --to-revision: it has {AppRevision.Names(kept)}");
        }

        return kept.LastOrDefault(one => one.Hash != present)
            ?? throw CommandException.Failed($"{app} has nothing to go back to: no revision but the present one is kept");
    }
}
