using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands;

/// <summary>What happened, oldest first.</summary>
internal sealed class EventsCommand : ApiCommand, IHasExamples
{
    private readonly Option<bool> _watch = new("--watch", "-w") { Description = "Go on and show what happens." };
    private readonly Option<bool> _all = CommonOptions.AllNamespaces();
    private readonly Option<string?> _about = new("--for") { Description = "Only events about this object.", HelpName = "TYPE/NAME" };

    public EventsCommand()
        : base("events", "Show what happened to objects.")
    {
        Options.Add(_watch);
        Options.Add(_all);
        Options.Add(_about);
    }

    public IReadOnlyList<string> Examples => ["orc events -w", "orc events --for webapp/web", "orc events -A"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var (about, all) = (line.GetValue(_about), line.GetValue(_all));
        ResourceKind? aboutKind = null;
        string? fields = null;
        if (about is not null)
        {
            var reference = (await ObjectReference.ParseAsync([about], session.Kinds, cancellationToken))[0];
            aboutKind = reference.Kind;
            fields = $"involvedObject.kind={reference.Kind.Kind},involvedObject.name={reference.Name ?? throw CommandException.Usage("--for takes TYPE/NAME")}";
        }

        // Events about cluster-wide objects live in namespace "default".
        var events = (await session.Kinds.FindAsync("events", cancellationToken))[0];
        var @namespace = all ? null : aboutKind is { Namespaced: false } ? ApiCommand.DefaultNamespace : session.Namespace;
        var scope = new ListScope(events, @namespace, null, null, fields);
        string[] headings = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"];
        var table = new TextTable(session.Terminal, all ? ["NAMESPACE", .. headings] : headings);
        if (line.GetValue(_watch))
        {
            await foreach (var (type, obj) in Watching.FollowAsync(session, scope, ApiConnection.Json, cancellationToken))
            {
                if (type != "DELETED")
                {
                    Add(table, type == Watching.ListType ? Items(obj) : [EventView.Of(obj)], all, session.Time);
                    table.Write();
                }
            }
        }

        var found = new List<EventView>();
        await foreach (var chunk in ListScope.ListAsync(session.Api, scope, ApiConnection.Json, cancellationToken))
        {
            found.AddRange(Items(chunk));
        }

        if (found.Count == 0)
        {
            session.Terminal.Note(all ? "No events." : $"No events in namespace {@namespace}.");
            return ExitCodes.Done;
        }

        Add(table, found, all, session.Time);
        table.Write();
        return ExitCodes.Done;
    }

    private static IEnumerable<EventView> Items(JsonObject list) => (list["items"] as JsonArray ?? []).OfType<JsonObject>().Select(EventView.Of);

    private static void Add(TextTable table, IEnumerable<EventView> events, bool all, TimeProvider time)
    {
        foreach (var one in events.OrderBy(one => one.LastSeen))
        {
            string[] cells = [one.Age(time), one.Type, one.Reason, one.About, one.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), one.Message];
            table.Add(all ? [one.Namespace, .. cells] : cells);
        }
    }
}
