using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Commands;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Connection;

/// <summary>A list and all changes after it, for as long as the caller wants: server timeouts, restarts and lost history included.</summary>
internal static class Watching
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>First an event of type <c>LIST</c> for each chunk of the list, then the watch's. After lost history the list comes anew.</summary>
    public static async IAsyncEnumerable<(string Type, JsonObject Object)> FollowAsync(
        Session session, ListScope scope, string accept, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? revision = null;
        while (true)
        {
            if (revision is null)
            {
                await foreach (var chunk in ListScope.ListAsync(session.Api, scope, accept, cancellationToken))
                {
                    revision ??= (string?)chunk["metadata"]?["resourceVersion"] ?? "";
                    yield return (ListType, chunk);
                }
            }

            await using var changes = session.Api.WatchAsync(scope.WatchPath(revision!), cancellationToken, accept).GetAsyncEnumerator(cancellationToken);
            while (await NextAsync(changes, session, cancellationToken) is { } change)
            {
                var (type, obj) = ((string?)change["type"] ?? "", change["object"] as JsonObject ?? []);
                if (type == "ERROR")
                {
                    if ((int?)obj["code"] != 410)
                    {
                        throw CommandException.Failed((string?)obj["message"] ?? "the watch failed");
                    }

                    revision = null;
                    break;
                }

                revision = RevisionOf(obj) ?? revision;
                if (type != "BOOKMARK")
                {
                    yield return (type, obj);
                }
            }

            if (revision is not null)
            {
                await Task.Delay(RetryPause, session.Time, cancellationToken);
            }
        }
    }

    public const string ListType = "LIST";

    private static string? RevisionOf(JsonObject obj) => (string?)obj["kind"] == "Table"
        ? (string?)(obj["rows"] as JsonArray)?.LastOrDefault()?["object"]?["metadata"]?["resourceVersion"] ?? (string?)obj["metadata"]?["resourceVersion"]
        : (string?)obj["metadata"]?["resourceVersion"];

    private static async Task<JsonObject?> NextAsync(
        IAsyncEnumerator<JsonObject> changes, Session session, CancellationToken cancellationToken)
    {
        try
        {
            return await changes.MoveNextAsync() ? changes.Current : null;
        }
        catch (CommandException unreachable) when (unreachable.ExitCode == ExitCodes.Unreachable && !cancellationToken.IsCancellationRequested)
        {
            session.Terminal.Warn($"{unreachable.Message}; trying again");
            return null;
        }
        catch (ApiException gone) when ((int)gone.Code == 410)
        {
            return new JsonObject { ["type"] = "ERROR", ["object"] = new JsonObject { ["code"] = 410 } };
        }
    }
}
