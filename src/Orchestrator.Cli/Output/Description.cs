using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Applying;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Output;

/// <summary>Writes an object for people: field names as words, conditions as a table, and never what a Secret holds.</summary>
internal sealed class Description(Terminal terminal, TimeProvider time)
{
    private const int ValueColumn = 14;

    public void Write(ResourceKind kind, JsonObject obj)
    {
        var metadata = obj["metadata"] as JsonObject ?? [];
        Line("Name", (string?)metadata["name"]);
        if (kind.Namespaced)
        {
            Line("Namespace", (string?)metadata["namespace"]);
        }

        Line("Kind", $"{kind.Kind} ({kind.ApiVersion})");
        Map("Labels", metadata["labels"] as JsonObject);
        Map("Annotations", metadata["annotations"] as JsonObject, LastApplied.Annotation);
        Line("Created", Moment((string?)metadata["creationTimestamp"]));
        if ((string?)metadata["deletionTimestamp"] is { } deleted)
        {
            Line("Deleting", $"since {Moment(deleted)}, waiting for {metadata["finalizers"]?.ToJsonString() ?? "nothing"}");
        }

        // Secret is its own kind of object: its values must not reach a screen, its keys and sizes may.
        var secret = kind is { Group: "", Kind: "Secret" };
        foreach (var (key, value) in obj)
        {
            if (key is "apiVersion" or "kind" or "metadata" || value is null)
            {
                continue;
            }

            if (secret && key is "data" or "stringData")
            {
                Map("Data", new JsonObject((value as JsonObject ?? []).Select(
                    entry => KeyValuePair.Create(entry.Key, (JsonNode?)$"{Size((string?)entry.Value)} bytes"))));
                continue;
            }

            var conditions = (value as JsonObject)?["conditions"] as JsonArray;
            var rest = value.DeepClone();
            (rest as JsonObject)?.Remove("conditions");
            if (rest is JsonObject { Count: 0 } && conditions is not null)
            {
                WriteConditions(conditions);
                continue;
            }

            terminal.Out.Write($"{Title(key)}:");
            Tree(rest, "  ", key);
            if (conditions is not null)
            {
                WriteConditions(conditions);
            }
        }
    }

    private void WriteConditions(JsonArray conditions)
    {
        var table = new TextTable(terminal, "TYPE", "STATUS", "SINCE", "REASON", "MESSAGE");
        foreach (var condition in conditions)
        {
            table.Add(
                Text(condition?["type"]),
                Text(condition?["status"]),
                Since((string?)condition?["lastTransitionTime"]),
                Text(condition?["reason"]),
                Text(condition?["message"]).ReplaceLineEndings(" "));
        }

        if (table.HasRows)
        {
            terminal.Out.Write("Conditions:\n");
            table.Write("  ");
        }
    }

    private void Tree(JsonNode? node, string indent, string key)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                terminal.Out.Write("\n");
                foreach (var (name, value) in map)
                {
                    terminal.Out.Write($"{indent}{Title(name)}:");
                    Tree(value, indent + "  ", name);
                }

                break;
            case JsonArray { Count: > 0 } list when list.All(item => item is JsonValue):
                terminal.Out.Write($" {string.Join(", ", list.Select(Text))}\n");
                break;
            case JsonArray { Count: > 0 } list:
                terminal.Out.Write("\n");
                foreach (var item in list)
                {
                    terminal.Out.Write($"{indent}-");
                    Tree(item, indent + "  ", key);
                }

                break;
            case JsonObject or JsonArray or null:
                terminal.Out.Write(" <none>\n");
                break;
            default:
                // What a replica said last has several lines: those after the first stay in their place.
                terminal.Out.Write($" {Text(node).TrimEnd().ReplaceLineEndings($"\n{indent}")}\n");
                break;
        }
    }

    private void Line(string title, string? value) => terminal.Out.Write($"{(title + ":").PadRight(ValueColumn)}{value ?? "<none>"}\n");

    private void Map(string title, JsonObject? map, string? without = null)
    {
        var entries = (map ?? []).Where(entry => entry.Key != without).Select(entry => $"{entry.Key}={Text(entry.Value)}").ToList();
        Line(title, entries.Count == 0 ? null : string.Join("\n" + new string(' ', ValueColumn), entries));
    }

    private string? Moment(string? timestamp) => timestamp is null ? null : $"{timestamp} ({Since(timestamp)} ago)";

    private string Since(string? timestamp) => Durations.Since(timestamp, time);

    private static int Size(string? base64) => base64 is not null && Convert.TryFromBase64String(base64, new byte[base64.Length], out var count) ? count : 0;

    private static string Text(JsonNode? node) => node switch
    {
        null => "<none>",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => node.ToJsonString(),
    };

    /// <summary>"readinessProbe" as "Readiness Probe"; keys that are no field names stay.</summary>
    private static string Title(string key)
    {
        if (key.Length == 0 || !key.All(char.IsAsciiLetter))
        {
            return key;
        }

        var words = string.Concat(key.Select((letter, i) => i > 0 && char.IsUpper(letter) && !char.IsUpper(key[i - 1]) ? " " + letter : letter.ToString()));
        return char.ToUpperInvariant(words[0]) + words[1..];
    }
}
