using System.CommandLine;
using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Orchestrator.Cli.Rollouts;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Commands;

/// <summary>All there is to know of an object on one screen: what it is, what belongs to it, what happened to it.</summary>
internal sealed class DescribeCommand : ApiCommand, IHasExamples
{
    private readonly Argument<string[]> _what = new("WHAT") { HelpName = "TYPE [NAME]", Description = "TYPE NAME…, TYPE/NAME…, or TYPE for all of them.", Arity = ArgumentArity.OneOrMore };

    public DescribeCommand()
        : base("describe", "Show an object with what belongs to it and what happened to it.")
    {
        _what.CompletionSources.Add(Completions.TypesAndNames);
        Arguments.Add(_what);
    }

    public IReadOnlyList<string> Examples => ["orc describe webapp web", "orc describe dh/host1"];

    protected override async Task<int> RunAsync(ParseResult line, Session session, CancellationToken cancellationToken)
    {
        var (written, missing) = (0, 0);
        foreach (var reference in await ObjectReference.ParseAsync(line.GetValue(_what)!, session.Kinds, cancellationToken))
        {
            try
            {
                foreach (var obj in await FindAsync(session, reference, cancellationToken))
                {
                    session.Terminal.Out.Write(written++ > 0 ? "\n\n" : "");
                    await WriteAsync(session, reference.Kind, obj, cancellationToken);
                }
            }
            catch (NotFoundException failure)
            {
                missing++;
                session.Terminal.Fail(failure.Message);
            }
        }

        return missing > 0 ? ExitCodes.NotFound : ExitCodes.Done;
    }

    private static async Task<List<JsonObject>> FindAsync(Session session, ObjectReference reference, CancellationToken cancellationToken)
    {
        var @namespace = session.NamespaceFor(reference.Kind);
        if (reference.Name is not null)
        {
            return [await session.Api.GetAsync(reference.Kind.Path(@namespace, reference.Name), cancellationToken)];
        }

        var found = new List<JsonObject>();
        await foreach (var chunk in ListScope.ListAsync(session.Api, new(reference.Kind, @namespace, null, null, null), ApiConnection.Json, cancellationToken))
        {
            found.AddRange((chunk["items"] as JsonArray ?? []).OfType<JsonObject>());
        }

        return found;
    }

    private static async Task WriteAsync(Session session, ResourceKind kind, JsonObject obj, CancellationToken cancellationToken)
    {
        var name = (string?)obj["metadata"]?["name"] ?? "";
        new Description(session.Terminal, session.Time).Write(kind, obj);
        if (kind is { Group: ApiGroup.Name, Kind: WebApp.KubeKind })
        {
            await RolloutDescription.WriteAsync(session, new(kind, session.NamespaceFor(kind), name), obj, cancellationToken);
        }

        // A WebApp's replicas, a host's replicas: what one looks for next.
        var label = kind is not { Group: ApiGroup.Name } ? null : kind.Kind switch
        {
            WebApp.KubeKind => Labels.App,
            DockerHost.KubeKind => Labels.Host,
            _ => null,
        };
        if (label is not null)
        {
            var replicas = (await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, cancellationToken));
            var table = new ServerTable(session.Terminal, wide: true, withNamespace: !kind.Namespaced, withHeadings: true, prefix: "");
            var scope = new ListScope(replicas, session.NamespaceFor(kind), null, $"{label}={name}", null);
            await foreach (var chunk in ListScope.ListAsync(session.Api, scope, ApiConnection.Table, cancellationToken))
            {
                table.Add(chunk);
            }

            session.Terminal.Out.Write(table.Rows > 0 ? "\nReplicas:\n" : "\nReplicas: none\n");
            table.Write();
        }

        await WriteEventsAsync(session, kind, (string?)obj["metadata"]?["uid"] ?? "", cancellationToken);
    }

    private static async Task WriteEventsAsync(Session session, ResourceKind kind, string uid, CancellationToken cancellationToken)
    {
        var events = (await session.Kinds.FindAsync("events", cancellationToken))[0];
        var found = new List<EventView>();
        var scope = new ListScope(events, kind.Namespaced ? session.Namespace : null, null, null, $"involvedObject.uid={uid}");
        await foreach (var chunk in ListScope.ListAsync(session.Api, scope, ApiConnection.Json, cancellationToken))
        {
            found.AddRange((chunk["items"] as JsonArray ?? []).OfType<JsonObject>().Select(EventView.Of));
        }

        session.Terminal.Out.Write(found.Count > 0 ? "\nEvents:\n" : "\nEvents: none\n");
        var table = new TextTable(session.Terminal, "AGE", "TYPE", "REASON", "COUNT", "MESSAGE");
        foreach (var one in found.OrderBy(one => one.LastSeen))
        {
            table.Add(one.Age(session.Time), one.Type, one.Reason, one.Count.ToString(System.Globalization.CultureInfo.InvariantCulture), one.Message);
        }

        if (table.HasRows)
        {
            table.Write();
        }
    }
}
