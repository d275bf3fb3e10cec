using System.CommandLine.Parsing;

namespace Orchestrator.Cli.Commands;

/// <summary>What becomes of one environment variable.</summary>
/// <param name="Value">Null removes it.</param>
internal readonly record struct EnvChange(string Name, string? Value)
{
    public static EnvChange[] Parse(ArgumentResult result)
    {
        var changes = new Dictionary<string, EnvChange>();
        foreach (var word in result.Tokens.Select(token => token.Value))
        {
            if (Parse(word) is not { } change)
            {
                result.AddError($"\"{word}\" is neither KEY=VALUE nor KEY-");
            }
            else if (!changes.TryAdd(change.Name, change))
            {
                result.AddError($"{change.Name} is there twice");
            }
        }

        return [.. changes.Values];
    }

    private static EnvChange? Parse(string word) => word.Split('=', 2) switch
    {
        [{ Length: > 0 } name, var value] => new(name, value),
        [{ Length: > 1 } name] when name[^1] == '-' => new(name[..^1], null),
        _ => null,
    };
}
