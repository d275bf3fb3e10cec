using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>Docker hosts: the verbs under <c>orc hosts</c>.</summary>
internal sealed class HostsCommand : Command
{
    public HostsCommand()
        : base("hosts", "Manage the Docker hosts that carry replicas.")
    {
        ConnectionOptions.AddTo(this);
        Subcommands.Add(new HostsAddCommand());
        Subcommands.Add(new HostsListCommand());
        Subcommands.Add(new HostsRemoveCommand());
        Subcommands.Add(new HostsCordonCommand("cordon", "Let a host keep what it carries and take nothing new.", unschedulable: true));
        Subcommands.Add(new HostsDrainCommand());
        Subcommands.Add(new HostsCordonCommand("uncordon", "Let a host take replicas again; ends its drain.", unschedulable: false));
    }
}
