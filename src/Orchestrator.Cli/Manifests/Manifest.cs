using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Manifests;

/// <summary>One document of a manifest: an object, or what is wrong with it.</summary>
/// <param name="Source">File name as the user gave it, or "standard input".</param>
/// <param name="Number">Of the document in its source, from 1.</param>
/// <param name="Line">Where it starts, or where the error is; from 1.</param>
/// <param name="Content">Null if there is an <paramref name="Error"/>.</param>
internal sealed record Manifest(string Source, int Number, long Line, JsonObject? Content, string? Error)
{
    public string Place => $"{Source}:{Line}" + (Number > 1 ? $" (document {Number})" : "");

    public string ApiVersion => (string?)Content!["apiVersion"] ?? "";

    public string Kind => (string?)Content!["kind"] ?? "";

    public JsonObject Metadata => Content!["metadata"]!.AsObject();

    public string Name => (string?)Metadata["name"] ?? "";

    public string? Namespace => (string?)Metadata["namespace"];
}
