using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// gRPC says in <c>grpc-status</c>, mostly after the answer, how a request went: its HTTP status is 200 whatever happens. Here the two are put
/// into each other's words (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
/// </summary>
internal static class GrpcStatus
{
    public const string Field = "grpc-status";
    public const string MessageField = "grpc-message";

    private const int PermissionDenied = 7;
    private const int Unimplemented = 12;
    private const int Internal = 13;
    private const int Unavailable = 14;

    /// <summary>gRPC itself, which is HTTP/2; not gRPC-Web, which has its status in its body.</summary>
    public static bool IsGrpc(HttpRequest request) =>
        HttpProtocol.IsHttp2(request.Protocol)
        && request.ContentType is { } type && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && (type.Length == "application/grpc".Length || type["application/grpc".Length] is '+' or ';');

    /// <summary>
    /// The HTTP status by which an answer that has ended is counted: for an app of gRPC, 500 or 503 if the server has failed, 400 if the
    /// client's request was at fault; for an answer of the proxy's own, the one it stands for.
    /// </summary>
    public static int Of(HttpContext context, AppState app)
    {
        var status = context.Response.StatusCode;
        if (status != StatusCodes.Status200OK || !IsGrpc(context.Request))
        {
            return status;
        }

        if (context.Features.Get<OwnAnswer>() is { } own)
        {
            return own.Status;
        }

        if (app.Policy.Route.Protocol != ReplicaProtocols.Grpc)
        {
            return status;
        }

        // Without a body it comes with the headers.
        var text = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { } trailers && trailers.TryGetValue(Field, out var trailer)
            ? trailer
            : context.Response.Headers[Field];
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code))
        {
            return StatusCodes.Status502BadGateway;
        }

        return code switch
        {
            0 => StatusCodes.Status200OK,

            // CANCELLED is the client's doing, and so are INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED,
            // RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE and UNAUTHENTICATED.
            1 => StatusCodes.Status499ClientClosedRequest,
            3 or 5 or 6 or 7 or 8 or 9 or 10 or 11 or 16 => StatusCodes.Status400BadRequest,
            4 => StatusCodes.Status504GatewayTimeout,
            Unavailable => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status500InternalServerError,
        };
    }

    /// <summary>An answer of the proxy's own, of headers alone, as the protocol wants it: clients show the message.</summary>
    public static Task WriteAsync(HttpContext context, ProxyError error, string message)
    {
        context.Features.Set(new OwnAnswer(error.Status));
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers[Field] = CodeOf(error.Status).ToString(CultureInfo.InvariantCulture);
        response.Headers[MessageField] = Encode($"{error.Reason}: {message}");
        return response.StartAsync(context.RequestAborted);
    }

    /// <summary>The answer is the proxy's, in the words of gRPC.</summary>
    /// <param name="Status">That it would have had in those of HTTP.</param>
    private sealed record OwnAnswer(int Status);

    private static int CodeOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => Internal,
        StatusCodes.Status403Forbidden => PermissionDenied,
        StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed => Unimplemented,
        _ => Unavailable,
    };

    /// <summary>Percent-encoded where it is no printable ASCII.</summary>
    private static string Encode(string message)
    {
        var encoded = new StringBuilder(message.Length);
        foreach (var octet in Encoding.UTF8.GetBytes(message))
        {
            _ = octet is >= 0x20 and <= 0x7e and not (byte)'%' ? encoded.Append((char)octet) : encoded.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }

        return encoded.ToString();
    }
}
