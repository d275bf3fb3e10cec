using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>Lets a canary go on to its next step, or past all of them.</summary>
internal sealed class RolloutPromoteCommand : AppChangeCommand, IHasExamples
{
    private readonly Option<bool> _full = new("--full") { Description = "Pass all steps that are left, and replace the old replicas." };

    public RolloutPromoteCommand()
        : base("promote", "Let a canary go on to its next step.") => Options.Add(_full);

    public IReadOnlyList<string> Examples => ["orc rollout promote web", "orc rollout promote web --full --wait"];

    protected override Task<SpecChange> ChangeAsync(ParseResult line, Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        if (RolloutPauseCommand.IsPaused(live))
        {
            throw CommandException.Failed($"cannot promote {app} while it is paused; resume it first with 'orc rollout resume {app.Name}'");
        }

        var steps = (live["spec"]?["strategy"]?["canary"]?["steps"] as JsonArray)?.Count ?? 0;
        if (live["status"]?["rollout"]?["canary"] is not { } canary || (int?)canary["step"] is not { } step || step >= steps)
        {
            throw CommandException.Failed($"{app} has no canary under way; 'orc rollout status {app.Name}' shows how its rollout stands");
        }

        var full = line.GetValue(_full);
        return Task.FromResult(new SpecChange([], full ? "promoted past all steps" : $"promoted past step {(step + 1).ToString(CultureInfo.InvariantCulture)} of {steps.ToString(CultureInfo.InvariantCulture)}")
        {
            Annotations = new JsonObject { [Annotations.Promote] = $"{(string?)canary["revision"]}/{(full ? "all" : step.ToString(CultureInfo.InvariantCulture))}" },
        });
    }
}
