using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;

namespace Orchestrator.Cli.Commands;

/// <summary>A command whose help shows how it is used.</summary>
internal interface IHasExamples
{
    /// <summary>Lines a user can type.</summary>
    IReadOnlyList<string> Examples { get; }
}

/// <summary>The usual help, then examples and what the exit codes mean.</summary>
internal sealed partial class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        usual.MaxWidth = Math.Clamp(Console.IsOutputRedirected ? 120 : Console.WindowWidth, 60, 120);
        var output = parseResult.InvocationConfiguration.Output;
        using var help = new StringWriter { NewLine = output.NewLine };
        parseResult.InvocationConfiguration.Output = help;
        usual.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(AsCalled(help.ToString()));
        if (parseResult.CommandResult.Command is IHasExamples { Examples: var examples })
        {
            output.WriteLine("Examples:");
            foreach (var example in examples)
            {
                output.WriteLine(AsCalled($"  {example}"));
            }

            output.WriteLine();
        }

        output.WriteLine("Exit codes:");
        foreach (var (code, meaning) in ExitCodes.All)
        {
            output.WriteLine($"  {code,-4} {meaning}");
        }

        return ExitCodes.Done;
    }

    /// <summary>Usage and examples are to be typed as they are.</summary>
    private static string AsCalled(string text) => Orc.Name == "orc" ? text : CommandLines().Replace(text, $"{Orc.Name} ");

    [GeneratedRegex("(?<=^  |[|(] *)orc (?=[[a-z])", RegexOptions.Multiline)]
    private static partial Regex CommandLines();
}
