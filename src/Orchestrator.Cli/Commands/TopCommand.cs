using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>Resources in use: the verbs under <c>orc top</c>.</summary>
internal sealed class TopCommand : Command
{
    public TopCommand()
        : base("top", "Show how much CPU and memory are in use.")
    {
        ConnectionOptions.AddTo(this);
        Subcommands.Add(new TopAppsCommand());
        Subcommands.Add(new TopReplicasCommand());
        Subcommands.Add(new TopHostsCommand());
    }
}
