using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>One field of an app's template at a time: the verbs under <c>orc set</c>.</summary>
internal sealed class SetCommand : Command
{
    public SetCommand()
        : base("set", "Change the image, environment or resources of an app.")
    {
        ConnectionOptions.AddTo(this);
        Subcommands.Add(new SetImageCommand());
        Subcommands.Add(new SetEnvCommand());
        Subcommands.Add(new SetResourcesCommand());
    }
}
