using System.CommandLine;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>Options that several commands have, made anew for each.</summary>
internal static class CommonOptions
{
    /// <summary>Long enough for a slow pull, short enough for a script that would otherwise hang.</summary>
    private const string DefaultTimeout = "5m";

    /// <summary>What the runtime's timers take is a few hours more.</summary>
    private const string LongestTimeout = "49d";

    private const string Server = "server";

    public static Option<string[]> Files(string description) => new("--filename", "-f") { Description = description, HelpName = "FILE|FOLDER|-" };

    public static Option<bool> Recursive() => new("--recursive", "-R") { Description = "Read the folders in a folder too." };

    public static Option<string?> Selector() => new("--selector", "-l")
    {
        Description = "Only objects with these labels, such as app=web,tier!=test.",
        HelpName = "LABELS",
    };

    public static Option<bool> AllNamespaces() => new("--all-namespaces", "-A") { Description = "Objects of all namespaces." };

    /// <summary>Null unless it is asked for.</summary>
    public static Option<string?> DryRun()
    {
        var option = new Option<string?>("--dry-run") { Description = "\"server\": the server checks everything and stores nothing.", HelpName = Server };
        option.AcceptOnlyFromAmong(Server);
        return option;
    }

    public static Option<TypedDuration> Timeout() => Timeout("--timeout", "How long to wait, such as 90s or 2m.", DefaultTimeout);

    /// <summary>A time that is waited.</summary>
    public static Option<TypedDuration> Timeout(string name, string description, string fallback) =>
        Duration(name, description, TypedDuration.Parse(fallback)!.Value, atMost: TypedDuration.Parse(LongestTimeout));

    /// <param name="atMost">Null means without a limit.</param>
    public static Option<TypedDuration> Duration(string name, string description, TypedDuration fallback, TypedDuration? atMost = null) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        CustomParser = result =>
        {
            if (result.Tokens is not [var token])
            {
                return fallback;
            }

            if (TypedDuration.Parse(token.Value) is not { } value)
            {
                result.AddError($"{name}: \"{token.Value}\" is no duration such as 90s, 5m or 1h30m");
                return default;
            }

            if (value.Span > atMost?.Span)
            {
                result.AddError($"{name}: {atMost} is the longest");
                return default;
            }

            return value;
        },
        DefaultValueFactory = _ => fallback,
    };
}
