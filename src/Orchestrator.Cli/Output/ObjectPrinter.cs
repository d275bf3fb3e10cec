using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Connection;

namespace Orchestrator.Cli.Output;

/// <summary>Prints objects whole, as <c>-o yaml</c>, <c>json</c> and <c>name</c> do.</summary>
internal sealed class ObjectPrinter(Terminal terminal, string format)
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        IndentSize = 4,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private bool _written;

    public void Write(ResourceKind kind, JsonObject obj)
    {
        if (format == OutputFormats.Name)
        {
            terminal.Out.Write($"{kind.Label}/{(string?)obj["metadata"]?["name"]}\n");
            return;
        }

        Write(obj);
    }

    /// <summary>Of objects that go together (not a watch's): one document.</summary>
    public void WriteList(IReadOnlyList<(ResourceKind Kind, JsonObject Object)> objects)
    {
        if (format == OutputFormats.Name)
        {
            foreach (var (kind, obj) in objects)
            {
                Write(kind, obj);
            }

            return;
        }

        var items = new JsonArray();
        foreach (var (_, obj) in objects)
        {
            items.Add(WithoutNoise(obj).DeepClone());
        }

        Write(new JsonObject { ["apiVersion"] = "v1", ["items"] = items, ["kind"] = "List", ["metadata"] = new JsonObject { ["resourceVersion"] = "" } });
    }

    private void Write(JsonObject obj)
    {
        if (format == OutputFormats.Json)
        {
            terminal.Out.Write(WithoutNoise(obj).ToJsonString(Indented) + "\n");
            return;
        }

        terminal.Out.Write((_written ? "---\n" : "") + YamlWriter.Write(WithoutNoise(obj)));
        _written = true;
    }

    /// <summary>managedFields are for servers; kubectl hides them too.</summary>
    private static JsonObject WithoutNoise(JsonObject obj)
    {
        (obj["metadata"] as JsonObject)?.Remove("managedFields");
        return obj;
    }
}

/// <summary>Values of <c>-o</c>.</summary>
internal static class OutputFormats
{
    public const string Table = "table";
    public const string Wide = "wide";
    public const string Yaml = "yaml";
    public const string Json = "json";
    public const string Name = "name";

    public static readonly string[] All = [Table, Wide, Yaml, Json, Name];
}
