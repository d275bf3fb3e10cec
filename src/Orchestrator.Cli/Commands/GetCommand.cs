using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>Shows objects, once or as they change.</summary>
internal sealed class GetCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string[]> _what = new("WHAT")
    {
        HelpName = "TYPE [NAME]",
        Description = "Kinds (webapps, wa, dockerhosts, …, several with commas), a category (orchestrator), or TYPE/NAME.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "How to print.",
        HelpName = string.Join('|', OutputFormats.All),
        DefaultValueFactory = _ => OutputFormats.Table,
    };

    private readonly Option<bool> _watch = new("--watch", "-w") { Description = "Go on and show each change." };
    private readonly Option<bool> _all = CommonOptions.AllNamespaces();
    private readonly Option<string?> _labels = CommonOptions.Selector();
    private readonly Option<string?> _fields = new("--field-selector") { Description = "Only objects with these fields, such as metadata.name=web.", HelpName = "FIELDS" };
    private readonly Option<bool> _noHeadings = new("--no-headers") { Description = "Tables without their headings." };

    public GetCommand()
        : base("get", "Show objects.")
    {
        _output.AcceptOnlyFromAmong(OutputFormats.All);
        _what.CompletionSources.Add(Completions.TypesAndNames);
        Arguments.Add(_what);
        Options.Add(_output);
        Options.Add(_watch);
        Options.Add(_all);
        Options.Add(_labels);
        Options.Add(_fields);
        Options.Add(_noHeadings);
    }

    public IReadOnlyList<string> Examples =>
    [
        "orc get webapps",
        "orc get orchestrator -A",
        "orc get replicas -o wide -w",
        "orc get wa/web -o yaml",
    ];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var references = await ObjectReference.ParseAsync(line.GetValue(_what)!, session.Kinds, cancellationToken);
        var (output, watch, all) = (line.GetValue(_output)!, line.GetValue(_watch), line.GetValue(_all));
        var (labels, fields) = (line.GetValue(_labels), line.GetValue(_fields));
        if (references.Any(reference => reference.Name is not null) && (labels is not null || fields is not null || all))
        {
            throw CommandException.Usage("a name goes with neither a selector nor --all-namespaces");
        }

        var asTable = output is OutputFormats.Table or OutputFormats.Wide;
        var shown = new Shown(session, output == OutputFormats.Wide, !line.GetValue(_noHeadings), references.Select(one => one.Kind).Distinct().Count() > 1);
        ListScope Scope(ObjectReference reference) =>
            new(reference.Kind, all ? null : session.NamespaceFor(reference.Kind), reference.Name, labels, fields);
        if (watch)
        {
            if (references is not [var one])
            {
                throw CommandException.Usage("--watch follows one kind or one object");
            }

            await WatchAsync(Scope(one), asTable ? shown.Table(one.Kind, all) : null, new ObjectPrinter(session.Terminal, output), session, cancellationToken);
            return ExitCodes.Done;
        }

        return asTable
            ? await TablesAsync([.. references.GroupBy(one => one.Kind)], Scope, shown, all, session, cancellationToken)
            : await ObjectsAsync(references, Scope, new ObjectPrinter(session.Terminal, output), session, cancellationToken);
    }

    private static async Task<int> TablesAsync(
        IReadOnlyList<IGrouping<ResourceKind, ObjectReference>> kinds, Func<ObjectReference, ListScope> scopeOf, Shown shown, bool all, Session session, CancellationToken cancellationToken)
    {
        var (tables, failed) = (0, 0);
        foreach (var kind in kinds)
        {
            var table = shown.Table(kind.Key, all);
            foreach (var reference in kind)
            {
                if (reference.Name is null)
                {
                    await foreach (var chunk in ListScope.ListAsync(session.Api, scopeOf(reference), ApiConnection.Table, cancellationToken))
                    {
                        table.Add(chunk);
                    }
                }
                else if (await TryGetAsync(session, reference, ApiConnection.Table, cancellationToken) is { } found)
                {
                    table.Add(found);
                }
                else
                {
                    failed++;
                }
            }

            if (table.Rows > 0)
            {
                session.Terminal.Out.Write(tables++ > 0 ? "\n" : "");
                table.Write();
            }
        }

        if (tables == 0 && failed == 0)
        {
            var anyNamespaced = kinds.Any(kind => kind.Key.Namespaced);
            session.Terminal.Note(anyNamespaced && !all
                ? $"No {string.Join(" or ", kinds.Select(kind => kind.Key.Plural))} in namespace {session.Namespace}."
                : $"No {string.Join(" or ", kinds.Select(kind => kind.Key.Plural))}.");
        }

        return failed > 0 ? ExitCodes.NotFound : ExitCodes.Done;
    }

    private static async Task<int> ObjectsAsync(
        IReadOnlyList<ObjectReference> references, Func<ObjectReference, ListScope> scopeOf, ObjectPrinter printer, Session session, CancellationToken cancellationToken)
    {
        var found = new List<(ResourceKind, JsonObject)>();
        var failed = 0;
        foreach (var reference in references)
        {
            if (reference.Name is not null)
            {
                if (await TryGetAsync(session, reference, ApiConnection.Json, cancellationToken) is { } one)
                {
                    found.Add((reference.Kind, one));
                }
                else
                {
                    failed++;
                }

                continue;
            }

            await foreach (var chunk in ListScope.ListAsync(session.Api, scopeOf(reference), ApiConnection.Json, cancellationToken))
            {
                found.AddRange(Items(chunk, reference.Kind).Select(item => (reference.Kind, item)));
            }
        }

        if (references is [{ Name: not null }])
        {
            found.ForEach(one => printer.Write(one.Item1, one.Item2));
        }
        else
        {
            printer.WriteList(found);
        }

        return failed > 0 ? ExitCodes.NotFound : ExitCodes.Done;
    }

    private static async Task WatchAsync(ListScope scope, ServerTable? table, ObjectPrinter printer, Session session, CancellationToken cancellationToken)
    {
        if (scope.Name is not null)
        {
            // A name that is not there is a mistake more often than a thing to come.
            await session.Api.GetAsync(scope.Kind.Path(scope.Namespace, scope.Name), cancellationToken);
        }

        await foreach (var (type, obj) in Watching.FollowAsync(session, scope, table is null ? ApiConnection.Json : ApiConnection.Table, cancellationToken))
        {
            if (table is not null)
            {
                table.Add(obj);
                table.Write();
                continue;
            }

            foreach (var item in type == Watching.ListType ? Items(obj, scope.Kind) : [obj])
            {
                printer.Write(scope.Kind, item);
            }
        }
    }

    /// <summary>Items of a list do not repeat what kind they are; on their own they must.</summary>
    private static List<JsonObject> Items(JsonObject list, ResourceKind kind)
    {
        var items = (list["items"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        foreach (var item in items)
        {
            item["apiVersion"] ??= kind.ApiVersion;
            item["kind"] ??= kind.Kind;
        }

        return items;
    }

    private static async Task<JsonObject?> TryGetAsync(Session session, ObjectReference reference, string accept, CancellationToken cancellationToken)
    {
        try
        {
            return await session.Api.GetAsync(reference.Kind.Path(session.NamespaceFor(reference.Kind), reference.Name), cancellationToken, accept);
        }
        catch (Runtime.Clients.NotFoundException missing)
        {
            session.Terminal.Fail(missing.Message);
            return null;
        }
    }

    private sealed record Shown(Session Session, bool Wide, bool Headings, bool SeveralKinds)
    {
        public ServerTable Table(ResourceKind kind, bool all) =>
            new(Session.Terminal, Wide, all && kind.Namespaced, Headings, SeveralKinds ? kind.Label + "/" : "");
    }
}
