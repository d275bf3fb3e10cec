using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>How an app gets from one revision to the next: the verbs under <c>orc rollout</c>.</summary>
internal sealed class RolloutCommand : Command
{
    public RolloutCommand()
        : base("rollout", "Follow, hold, promote, take back and repeat rollouts of an app.")
    {
        ConnectionOptions.AddTo(this);
        Subcommands.Add(new RolloutStatusCommand());
        Subcommands.Add(new RolloutHistoryCommand());
        Subcommands.Add(new RolloutUndoCommand());
        Subcommands.Add(new RolloutPauseCommand());
        Subcommands.Add(new RolloutResumeCommand());
        Subcommands.Add(new RolloutRestartCommand());
        Subcommands.Add(new RolloutPromoteCommand());
        Subcommands.Add(new RolloutAbortCommand());
    }
}
