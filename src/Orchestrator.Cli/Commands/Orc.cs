using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>The command line as a whole. It goes by any name: <c>kubectl-orc</c> makes it kubectl's plugin <c>kubectl orc</c>.</summary>
internal static class Orc
{
    /// <summary>What the user types to call it.</summary>
    public static string Name { get; } = IsPlugin() ? "kubectl orc" : "orc";

    public static RootCommand Create()
    {
        var root = new RootCommand("Orchestrator keeps web containers running across Docker hosts, behind a load-balancing proxy.")
        {
            new ServeCommand(),
            new ProxyCommand(),
            new ApplyCommand(),
            new GetCommand(),
            new DescribeCommand(),
            new DeleteCommand(),
            new ScaleCommand(),
            new AutoscaleCommand(),
            new SetCommand(),
            new RolloutCommand(),
            new ExplainPlacementCommand(),
            new LogsCommand(),
            new TopCommand(),
            new HostsCommand(),
            new EventsCommand(),
            new ApiResourcesCommand(),
            new VersionCommand(),
            new CompletionCommand(),
        };
        ConnectionOptions.AddTo(root);
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            // Windows' spellings would only be noise among the offers of a Tab.
            help.Aliases.Remove("/h");
            help.Aliases.Remove("/?");
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        }

        return root;
    }

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(string[] arguments, Terminal terminal, CancellationToken cancellationToken = default)
    {
        var line = Create().Parse(arguments);
        if (line.Errors.Count > 0 && line.Action is ParseErrorAction)
        {
            // One mistake, one sentence: an unknown word makes the parser also miss the command it took the place of.
            foreach (var error in line.Errors.Take(line.UnmatchedTokens.Count > 0 ? 0 : 1).Select(error => error.Message)
                .Concat(line.UnmatchedTokens.Select(word => $"\"{word}\" is no command or option of `{Path(line.CommandResult)}`")))
            {
                terminal.Fail(error);
            }

            terminal.Note($"See `{Path(line.CommandResult)} --help`.");
            return ExitCodes.Usage;
        }

        try
        {
            return await line.InvokeAsync(
                new Invocation(terminal)
                {
                    EnableDefaultExceptionHandler = false,

                    // Serve and proxy handle signals themselves: they have something to finish first.
                    ProcessTerminationTimeout = line.CommandResult.Command is IHandlesSignals ? null : TimeSpan.FromSeconds(2),
                },
                cancellationToken);
        }
        catch (OutputClosedException)
        {
            return ExitCodes.OutputClosed;
        }
        catch (Exception failure)
        {
            var (exitCode, message) = Failures.Describe(failure);
            terminal.Fail(message);
            if (Environment.GetEnvironmentVariable("ORC_DEBUG") is { Length: > 0 })
            {
                terminal.Note(failure.ToString());
            }

            return exitCode;
        }
    }

    /// <summary>The runtime tells only what a symbolic link leads to; proc(5) has the word that the process was started with.</summary>
    private static bool IsPlugin() => File.ReadAllText("/proc/self/cmdline").Split('\0')[0].EndsWith("kubectl-orc", StringComparison.Ordinal);

    private static string Path(System.CommandLine.Parsing.CommandResult result)
    {
        var names = new List<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = result; at is System.CommandLine.Parsing.CommandResult command; at = at.Parent)
        {
            names.Insert(0, at.Parent is null ? Name : command.Command.Name);
        }

        return string.Join(' ', names);
    }
}

/// <summary>A command that stops in an orderly way by itself when it is told to.</summary>
internal interface IHandlesSignals;
