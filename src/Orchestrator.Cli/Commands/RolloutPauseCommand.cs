using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Holds rollouts of an app where they are.</summary>
internal sealed class RolloutPauseCommand() : AppChangeCommand(
    "pause", "Hold the rollout where it is, and gather changes until resume. Scaling and healing go on.", startsRollout: false), IHasExamples
{
    public IReadOnlyList<string> Examples => ["orc rollout pause web"];

    /// <summary>Whether the app's rollouts are held.</summary>
    public static bool IsPaused(JsonObject live) => (bool?)live["spec"]?["paused"] == true;

    protected override Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken) =>
        IsPaused(live)
            ? throw CommandException.Failed($"{app} is already paused")
            : Task.FromResult(new SpecChange(new JsonObject { ["paused"] = true }, "paused"));
}
