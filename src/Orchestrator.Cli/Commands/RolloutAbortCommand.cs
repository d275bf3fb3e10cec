using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Takes back the rollout that is under way. The spec stays as it is: its revision is not tried again until it changes.</summary>
internal sealed class RolloutAbortCommand() : AppChangeCommand(
    "abort", "Give up the rollout under way: the revision before serves on, and the new one is not tried again.", startsRollout: false), IHasExamples
{
    public IReadOnlyList<string> Examples => ["orc rollout abort web"];

    protected override Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        var status = live["status"];
        if (status?["rollout"] is null || (string?)status["updateRevision"] is not { } revision)
        {
            throw CommandException.Failed($"{app} has no rollout under way; 'orc rollout undo {app.Name}' goes back to the revision before");
        }

        if ((string?)status["currentRevision"] is not { } stable)
        {
            throw CommandException.Failed($"{app} has nothing to go back to: it is its first rollout");
        }

        return Task.FromResult(new SpecChange([], $"given up: revision {revision} goes, {stable} stays") { Annotations = new JsonObject { [Annotations.Abort] = revision } });
    }
}
