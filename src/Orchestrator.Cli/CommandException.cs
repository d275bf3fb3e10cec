namespace Orchestrator.Cli;

/// <summary>Ends a command: one clear sentence for the user, saying what to do where that is known, and the exit code.</summary>
internal sealed class CommandException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    public static CommandException Usage(string message) => new(ExitCodes.Usage, message);

    public static CommandException Failed(string message) => new(ExitCodes.Failed, message);
}
