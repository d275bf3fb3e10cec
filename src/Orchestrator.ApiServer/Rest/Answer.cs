using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Writing responses.</summary>
internal static class Answer
{
    public const string Json = "application/json";

    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000 };

    public static byte[] Encode(JsonNode node) => Encoding.UTF8.GetBytes(node.ToJsonString(Options));

    public static Task StatusAsync(HttpContext context, Status status)
    {
        if (status.RetryAfterSeconds is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return BytesAsync(context, status.Code, Encode(status.ToJson()));
    }

    public static Task NodeAsync(HttpContext context, int code, JsonNode node) => BytesAsync(context, code, Encode(node));

    public static async Task BytesAsync(HttpContext context, int code, ReadOnlyMemory<byte> body, string type = Json)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-cache, private";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(body, context.RequestAborted);
        }
    }

    public static Task TextAsync(HttpContext context, int code, string text) =>
        BytesAsync(context, code, Encoding.UTF8.GetBytes(text), "text/plain; charset=utf-8");

    /// <summary>RFC 7234 warnings, which kubectl prints.</summary>
    public static void Warn(HttpContext context, IReadOnlyList<string> warnings)
    {
        foreach (var warning in warnings)
        {
            context.Response.Headers.Append("Warning", $"299 - \"{Quote(warning)}\"");
        }
    }

    // Headers are ASCII without line ends; what a client put into a field name need not be.
    private static string Quote(string text)
    {
        var quoted = new StringBuilder(text.Length + 8);
        foreach (var character in text)
        {
            quoted.Append(character switch
            {
                '"' or '\\' => $"\\{character}",
                < ' ' or > '~' => "?",
                _ => character.ToString(),
            });
        }

        return quoted.ToString();
    }
}
