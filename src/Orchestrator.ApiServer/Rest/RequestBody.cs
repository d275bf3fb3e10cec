using System.Buffers;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
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

    /// <summary>Decodes a body that must be one object of whatever kind.</summary>
    public static Outcome<ParsedDocument> DecodeDocument(byte[] body, string mediaType)
    {
        var document = mediaType switch
        {
            "application/yaml" or "text/yaml" or "application/x-yaml" => YamlDocument.Parse(body, DocumentLimits.Default),
            _ => JsonDocumentParser.Parse(body, DocumentLimits.Default),
        };
        if (!document.Succeeded)
        {
            return document.Error.IsTooLarge ? Status.TooLarge(document.Error.Message) : Status.BadRequest(document.Error.Message);
        }

        return document;
    }

    /// <summary>The media type without its parameters, in lower case; empty when there is none.</summary>
    public static string MediaType(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        var end = type.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    /// <summary>Duplicate fields as they are told to clients.</summary>
    public static IReadOnlyList<string> Faults(ParsedDocument document) =>
        [.. document.DuplicateFields.Select(path => $"duplicate field \"{path}\"")];

    public static JsonObject? Object(ParsedDocument document) => document.Root as JsonObject;
}
