using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Commands;

/// <summary>Objects by type and name, or by type alone (all of them).</summary>
internal sealed record ObjectReference(ResourceKind Kind, string? Name)
{
    /// <summary>Understands <c>NAME</c>, which is an app's, and <c>TYPE/NAME</c>.</summary>
    /// <exception cref="CommandException">Something else, a name that is none, or a type the server does not have.</exception>
    public static async Task<(ResourceKind Kind, string Name)> ParseOneAsync(string word, ResourceCatalog kinds, CancellationToken cancellationToken)
    {
        var qualified = word.Contains('/', StringComparison.Ordinal) ? word : $"{WebApp.Plural}.{ApiGroup.Name}/{ResourceKind.RequireName(word)}";
        var reference = (await ParseAsync([qualified], kinds, cancellationToken))[0];
        return (reference.Kind, reference.Name!);
    }

    /// <summary>Understands <c>TYPE</c>, <c>TYPE NAME…</c>, <c>TYPE,TYPE</c>, <c>TYPE/NAME…</c>.</summary>
    /// <exception cref="CommandException">Something else, a name that is none, or a type the server does not have.</exception>
    public static async Task<IReadOnlyList<ObjectReference>> ParseAsync(
        IReadOnlyList<string> words, ResourceCatalog kinds, CancellationToken cancellationToken)
    {
        var references = new List<ObjectReference>();
        if (words.Any(word => word.Contains('/', StringComparison.Ordinal)))
        {
            foreach (var word in words)
            {
                if (word.Split('/') is not [{ Length: > 0 } type, { Length: > 0 } name])
                {
                    throw CommandException.Usage($"\"{word}\" is not TYPE/NAME; either all names have their type, or the type comes first and once");
                }

                references.Add(new(await One(type), ResourceKind.RequireName(name)));
            }

            return references;
        }

        foreach (var type in words[0].Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (var kind in await kinds.FindAsync(type, cancellationToken))
            {
                references.AddRange(words.Count == 1 ? [new(kind, null)] : words.Skip(1).Select(name => new ObjectReference(kind, ResourceKind.RequireName(name))));
            }
        }

        return references;

        async Task<ResourceKind> One(string type) => await kinds.FindAsync(type, cancellationToken) is [var kind]
            ? kind
            : throw CommandException.Usage($"\"{type}\" is a category of several kinds: name one");
    }
}
