using System.Text.Json.Nodes;
using Orchestrator.Api;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Output;
using Spectre.Console;

namespace Orchestrator.Cli.Waiting;

/// <summary>The replicas of an app in motion: those that are not ready first.</summary>
internal sealed class ReplicaRows(IReadOnlyList<JsonObject> replicas, TimeProvider time)
{
    private const string Ready = "Ready";

    /// <exception cref="Runtime.Clients.ApiException">They cannot be read.</exception>
    public static async Task<ReplicaRows> ReadAsync(Session session, Awaited app, CancellationToken cancellationToken)
    {
        var kind = await session.Kinds.FindAsync(ApiGroup.GroupVersion, Replica.KubeKind, cancellationToken);
        var found = new List<JsonObject>();
        var scope = new ListScope(kind, app.Namespace, null, $"{Labels.App}={app.Name}", null);
        await foreach (var chunk in ListScope.ListAsync(session.Api, scope, ApiConnection.Json, cancellationToken))
        {
            found.AddRange((chunk["items"] as JsonArray ?? []).OfType<JsonObject>());
        }

        return new([.. found.OrderBy(replica => State(replica) == Ready).ThenBy(Name, StringComparer.Ordinal)], session.Time);
    }

    /// <param name="limit">Rows at most; how many more there are is said in one more.</param>
    public Table Table(int limit)
    {
        var table = new Table().NoBorder().HideHeaders();
        foreach (var _ in Cells(new JsonObject()))
        {
            table.AddColumn(new TableColumn("").NoWrap());
        }

        foreach (var replica in replicas.Take(limit))
        {
            var colour = StatusColours.Of(State(replica).Split(':')[0]);
            table.AddRow(Cells(replica).Select((cell, i) => new Text(cell, i == 2 && colour is { } chosen ? new Style(Indexed(chosen)) : Style.Plain)));
        }

        if (replicas.Count > limit)
        {
            table.AddRow(new Text($"and {replicas.Count - limit} more"));
        }

        return table;
    }

    private string[] Cells(JsonObject replica) =>
    [
        "  " + Name(replica),
        (string?)replica["spec"]?["hostName"] ?? "<none>",
        State(replica),
        Durations.Since((string?)replica["metadata"]?["creationTimestamp"], time),
        (string?)replica["spec"]?["revision"] ?? "",
    ];

    private static string Name(JsonObject replica) => (string?)replica["metadata"]?["name"] ?? "";

    /// <summary>Ready, or its phase, with the reason where there is one.</summary>
    private static string State(JsonObject replica)
    {
        var status = replica["status"];
        var phase = (string?)status?["phase"] ?? ReplicaPhases.Pending;
        return phase == ReplicaPhases.Running && (bool?)status?["ready"] == true ? Ready
            : (string?)status?["reason"] is { Length: > 0 } reason ? $"{phase}: {reason}"
            : phase;
    }

    /// <summary>The colour of the same number among the terminal's own.</summary>
    private static Color Indexed(Colour colour) => Color.FromInt32(colour == Colour.Grey ? 8 : (int)colour - 30);
}
