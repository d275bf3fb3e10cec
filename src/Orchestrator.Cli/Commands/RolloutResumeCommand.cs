using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Lets rollouts of an app go on.</summary>
internal sealed class RolloutResumeCommand() : AppChangeCommand("resume", "Let a paused rollout go on."), IHasExamples
{
    public IReadOnlyList<string> Examples => ["orc rollout resume web", "orc rollout resume web --wait"];

    protected override Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken) =>
        RolloutPauseCommand.IsPaused(live)
            ? Task.FromResult(new SpecChange(new JsonObject { ["paused"] = null }, "resumed"))
            : throw CommandException.Failed($"{app} is not paused");
}
