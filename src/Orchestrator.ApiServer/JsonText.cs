using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer;

/// <summary>Reading JSON that this server wrote itself.</summary>
internal static class JsonText
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 1000 };

    public static JsonObject Parse(byte[] json) => JsonNode.Parse(json, documentOptions: Options)!.AsObject();

    /// <summary>For objects that several threads read: a node made from text builds its children on first use, so use them all now.</summary>
    public static JsonObject ParseShared(byte[] json)
    {
        var parsed = Parse(json);
        Build(parsed);
        return parsed;
    }

    private static void Build(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject parent:
                foreach (var (_, child) in parent)
                {
                    Build(child);
                }

                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    Build(item);
                }

                break;
        }
    }
}
