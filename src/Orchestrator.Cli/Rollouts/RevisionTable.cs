using System.Globalization;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Commands;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Rollouts;

/// <summary>Revisions for people: which is which, and which matter now.</summary>
internal static class RevisionTable
{
    /// <param name="app">Says which of them runs, which is asked for, and which has failed.</param>
    public static TextTable Of(Session session, IReadOnlyList<AppRevision> kept, JsonObject app)
    {
        var status = app["status"];
        (string Word, string? Hash)[] words =
        [
            ("current", (string?)status?["currentRevision"]),
            ("wanted", TemplateFields.RevisionOf(app)),
            ("failed", (string?)status?["failedRollout"]?["revision"]),
        ];

        // Most apps refer to nothing, and a revision of theirs is its template.
        var hasContent = kept.Any(one => one.ContentHash is not null);
        var table = new TextTable(session.Terminal, ["REVISION", "HASH", "IMAGE", .. Content("CONTENT"), "AGE", "STATE"]);
        foreach (var one in kept)
        {
            var state = string.Join(',', words.Where(word => word.Hash == one.Hash).Select(word => word.Word));
            table.Add(
            [
                one.Number.ToString(CultureInfo.InvariantCulture),
                one.Hash,
                (string?)one.Template["image"] ?? "<none>",
                .. Content(one.ContentHash ?? "-"),
                Durations.Since((string?)one.Object["metadata"]?["creationTimestamp"], session.Time),
                state.Length > 0 ? state : "-",
            ]);
        }

        return table;

        string[] Content(string cell) => hasContent ? [cell] : [];
    }
}
