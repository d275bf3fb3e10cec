using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Orchestrator.Proxy.Tracing;
using Orchestrator.Runtime;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>Writes a <see cref="ProxyError"/> as text or, to who asks for it, as JSON.</summary>
internal static class ErrorResponse
{
    private static readonly CompositeFormat ProxyStatus = CompositeFormat.Parse("orchestrator; error={0}");

    /// <param name="app">Null when the request belongs to none.</param>
    /// <param name="retryAfter">When another try is worth it. Null: as the error says, if it does.</param>
    /// <param name="endsConnection">Whether the client is to come again by another one; HTTP/2 clients see to that themselves.</param>
    public static Task WriteAsync(
        HttpContext context, ProxyError error, ObjectKey? app, TimeSpan? retryAfter = null, bool endsConnection = false)
    {
        var response = context.Response;
        ProxyContext.Of(context)?.Spans?.Refuse(error);
        RequestIds.Clear(response);
        response.StatusCode = error.Status;
        response.Headers.CacheControl = "no-store";
        response.Headers["Proxy-Status"] = string.Format(CultureInfo.InvariantCulture, ProxyStatus, error.ProxyStatus);
        if (endsConnection && !HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            response.Headers.Connection = "close";
        }

        if (retryAfter is not null || error.IsPassing)
        {
            response.Headers.RetryAfter = Math.Max(1, Math.Ceiling((retryAfter ?? TimeSpan.Zero).TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        var message = string.Format(CultureInfo.InvariantCulture, error.Message, app);
        if (GrpcStatus.IsGrpc(context.Request))
        {
            return GrpcStatus.WriteAsync(context, error, message);
        }

        var json = WantsJson(context.Request.Headers.Accept);
        response.ContentType = json ? "application/json" : "text/plain; charset=utf-8";
        var body = json
            ? JsonSerializer.SerializeToUtf8Bytes(new { status = error.Status, reason = error.Reason, app = app?.ToString(), message })
            : Encoding.UTF8.GetBytes($"{error.Status} {error.Reason}: {message}\n");
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? response.StartAsync(context.RequestAborted)
            : response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>Text unless JSON is named and preferred: a browser names neither, curl takes anything.</summary>
    private static bool WantsJson(IList<string?> accept)
    {
        if (accept.Count == 0 || !MediaTypeHeaderValue.TryParseList([.. accept.OfType<string>()], out var types))
        {
            return false;
        }

        var json = Preference(types, IsJson);
        var text = Preference(types, static type => type.Type.Equals("text", StringComparison.OrdinalIgnoreCase));
        return json > text || (json > 0 && json == text && IsJson(types[0]));
    }

    private static double Preference(IEnumerable<MediaTypeHeaderValue> types, Func<MediaTypeHeaderValue, bool> which) =>
        types.Where(which).Select(type => type.Quality ?? 1).DefaultIfEmpty(0).Max();

    private static bool IsJson(MediaTypeHeaderValue type) =>
        type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);
}
