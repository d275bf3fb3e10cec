using System.CommandLine;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Commands;

/// <summary>The argument APP of commands that know nothing but apps.</summary>
internal static class AppArgument
{
    private const string Name = "APP";

    public static Argument<string> One()
    {
        var argument = new Argument<string>(Name) { Description = "The app." };
        argument.CompletionSources.Add(Completions.Names(WebApp.Plural));
        return argument;
    }

    public static Argument<string[]> Several()
    {
        var argument = new Argument<string[]>(Name) { Description = "Apps.", Arity = ArgumentArity.OneOrMore };
        argument.CompletionSources.Add(Completions.Names(WebApp.Plural));
        return argument;
    }

    /// <param name="word"><c>NAME</c> or <c>webapp/NAME</c>.</param>
    /// <exception cref="CommandException">It names no app, or something else.</exception>
    public static async Task<Awaited> FindAsync(string word, Session session, CancellationToken cancellationToken)
    {
        var (kind, name) = await ObjectReference.ParseOneAsync(word, session.Kinds, cancellationToken);
        return kind is { Group: ApiGroup.Name, Kind: WebApp.KubeKind }
            ? new(kind, session.Namespace, name)
            : throw CommandException.Usage($"{word}: a {kind.Kind} is no app");
    }
}
