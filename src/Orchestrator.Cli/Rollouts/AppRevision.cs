using System.Text.Json.Nodes;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Connection;
using Orchestrator.Cli.Waiting;

namespace Orchestrator.Cli.Rollouts;

/// <summary>A template that an app had, or has, kept by the controller as a ControllerRevision.</summary>
/// <param name="Number">The highest is the one that was wanted last.</param>
/// <param name="Hash">The revision (<see cref="RevisionHash"/>).</param>
/// <param name="Object">The ControllerRevision.</param>
internal sealed record AppRevision(long Number, string Hash, JsonObject Object)
{
    public JsonObject Template => TemplateFields.Of(Object["data"]?["spec"]);

    /// <summary>Of what its references held (<see cref="ReplicaTemplate.ContentHash"/>); null where nothing counts.</summary>
    public string? ContentHash => (string?)Object["data"]?["spec"]?["contentHash"];

    /// <summary>Those of one app, by number.</summary>
    /// <param name="live">The app as the server has it: an earlier one of its name may have left some that are not its own.</param>
    public static async Task<IReadOnlyList<AppRevision>> ListAsync(Session session, Awaited app, JsonObject live, CancellationToken cancellationToken)
    {
        var kind = await KindAsync(session, cancellationToken);
        var found = new List<AppRevision>();
        await foreach (var chunk in ListScope.ListAsync(
            session.Api, new(kind, app.Namespace, null, $"{Labels.App}={app.Name}", null), ApiConnection.Json, cancellationToken))
        {
            found.AddRange((chunk["items"] as JsonArray ?? []).OfType<JsonObject>().Where(one => IsOf(live, one)).Select(one => Of(one, kind, app.Name)));
        }

        return [.. found.OrderBy(one => one.Number)];
    }

    /// <exception cref="CommandException">It is not kept: says which are.</exception>
    public static AppRevision Numbered(long number, IReadOnlyList<AppRevision> kept, Awaited app) =>
        kept.FirstOrDefault(one => one.Number == number)
        ?? throw new CommandException(ExitCodes.NotFound, $"{app} has no revision {number}; it has {Names(kept)}");

    public static string Names(IReadOnlyList<AppRevision> kept) => kept.Count == 0 ? "none" : string.Join(", ", kept.Select(one => one.Number));

    public static Task<ResourceKind> KindAsync(Session session, CancellationToken cancellationToken) => session.Kinds.FindAsync(
        $"{V1ControllerRevision.KubeGroup}/{V1ControllerRevision.KubeApiVersion}", V1ControllerRevision.KubeKind, cancellationToken);

    private static AppRevision Of(JsonObject one, ResourceKind kind, string app)
    {
        // Items of a list do not repeat what kind they are; on their own they must.
        one["apiVersion"] ??= kind.ApiVersion;
        one["kind"] ??= kind.Kind;
        return new(
            (long?)one["revision"] ?? 0,
            (string?)one["metadata"]?["labels"]?[Labels.Revision] ?? ((string?)one["metadata"]?["name"] ?? "")[(app.Length + 1)..],
            one);
    }

    private static bool IsOf(JsonObject app, JsonObject one) => (one["metadata"]?["ownerReferences"] as JsonArray ?? []).Any(
        owner => (bool?)owner?["controller"] == true && (string?)owner["uid"] == (string?)app["metadata"]?["uid"]);
}
