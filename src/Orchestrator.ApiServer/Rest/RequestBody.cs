using System.Buffers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Protobuf;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Reading and decoding what a client sends.</summary>
internal static class RequestBody
{
    /// <summary>
    /// Bytes of a body that is too large which are read on and dropped, so that the client gets to read the answer instead of a reset
    /// connection. Default 64 MiB.
    /// </summary>
    private const long MostDropped = 64L * 1024 * 1024;

    private const string Accepted = "application/json, application/yaml, " + ProtobufDocument.ContentType;

    /// <summary>Reads a body of at most <see cref="DocumentLimits.MaxBytes"/>.</summary>
    public static async Task<Outcome<byte[]>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var limit = DocumentLimits.Default.MaxBytes;
        var reader = request.BodyReader;
        var buffer = new ArrayBufferWriter<byte>(Math.Clamp((int)Math.Min(request.ContentLength ?? 0, limit), 256, limit));
        long total = 0;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            total += read.Buffer.Length;
            if (total <= limit)
            {
                foreach (var part in read.Buffer)
                {
                    buffer.Write(part.Span);
                }
            }

            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || total > MostDropped)
            {
                break;
            }
        }

        return total <= limit
            ? buffer.WrittenSpan.ToArray()
            : Status.TooLarge($"Request entity too large: limit is {limit}");
    }

    /// <summary>Decodes a body by its content type.</summary>
    public static Outcome<ParsedDocument> Decode(HttpRequest request, byte[] body) => MediaType(request) switch
    {
        "" or "application/json" => Check(JsonDocumentParser.Parse(body, DocumentLimits.Default)),
        "application/yaml" or "text/yaml" or "application/x-yaml" => Check(YamlDocument.Parse(body, DocumentLimits.Default)),
        ProtobufDocument.ContentType => Check(ProtobufDocument.Parse(body, DocumentLimits.Default)),
        _ => Status.UnsupportedMediaType("the body of the request was in an unknown format - accepted media types include: " + Accepted),
    };

    /// <summary>Decodes a patch, which is JSON whatever its type.</summary>
    public static Outcome<ParsedDocument> DecodePatch(byte[] body) => Check(JsonDocumentParser.Parse(body, DocumentLimits.Default));

    /// <summary>The media type without its parameters, in lower case; empty when there is none.</summary>
    public static string MediaType(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var end = type.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    private static Outcome<ParsedDocument> Check(ParsedDocument document)
    {
        if (document.Succeeded)
        {
            return document;
        }

        return document.Error.IsTooLarge ? Status.TooLarge(document.Error.Message) : Status.BadRequest(document.Error.Message);
    }

    /// <summary>Duplicate fields as they are told to clients.</summary>
    public static IReadOnlyList<string> Faults(ParsedDocument document) =>
        [.. document.DuplicateFields.Select(path => $"duplicate field \"{path}\"")];

    public static JsonObject? Object(ParsedDocument document) => document.Root as JsonObject;
}
