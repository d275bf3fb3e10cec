using System.CommandLine;
using System.CommandLine.Parsing;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// Options that say which API server, as whom, and in which namespace, made anew for each command. They may stand before the
/// command's name too, as kubectl has it; a command that has no use for one of them does not mind it there.
/// </summary>
internal static class ConnectionOptions
{
    public static Option<string?> Kubeconfig() => new("--kubeconfig")
    {
        Description = "Which API server, and as whom. Default: $KUBECONFIG, then the local server's admin.kubeconfig, then ~/.kube/config.",
        HelpName = "FILE",
    };

    public static Option<string?> Context() => new("--context")
    {
        Description = "Context of the kubeconfig. Default: its current one.",
        HelpName = "NAME",
    };

    public static Option<string?> Namespace() => new("--namespace", "-n")
    {
        Description = "Namespace to work in. Default: the context's, else \"default\".",
        HelpName = "NAMESPACE",
    };

    /// <summary>For a command that has others under it.</summary>
    public static void AddTo(Command group)
    {
        group.Options.Add(Kubeconfig());
        group.Options.Add(Context());
        group.Options.Add(Namespace());
    }

    /// <summary>The value given to the option, or else to the one of its name before the command's.</summary>
    public static string? GetValueHereOrBefore(this ParseResult line, Option<string?> option) => line.CommandResult.GetValueHereOrBefore(option);

    /// <inheritdoc cref="GetValueHereOrBefore(ParseResult, Option{string?})"/>
    public static string? GetValueHereOrBefore(this CommandResult command, Option<string?> option)
    {
        for (SymbolResult? at = command; at is CommandResult one; at = at.Parent)
        {
            if (one.Command.Options.OfType<Option<string?>>().FirstOrDefault(here => here.Name == option.Name) is { } same
                && one.GetValue(same) is { } value)
            {
                return value;
            }
        }

        return null;
    }
}
