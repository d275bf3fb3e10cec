using System.CommandLine;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>One run of a command, and the terminal it has.</summary>
internal sealed class Invocation : InvocationConfiguration
{
    public Invocation(Terminal terminal)
    {
        Terminal = terminal;
        Output = terminal.Out;
        Error = terminal.Error;
    }

    public Terminal Terminal { get; }
}
