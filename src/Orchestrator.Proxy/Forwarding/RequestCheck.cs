using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// What the server lets through though servers read it differently, so that one user's request could become a part of another's (RFC 9112, 6.3 and
/// 11.2). What it refuses itself is not here; Forwarding/testdata/malformed-requests.txt of the tests has both.
/// </summary>
internal static class RequestCheck
{
    /// <summary>Where the server puts a length that came beside an encoding.</summary>
    private const string LengthBesideEncoding = "X-Content-Length";

    public static bool IsAmbiguous(HttpContext context)
    {
        var request = context.Request;
        var encoding = request.Headers.TransferEncoding;
        if (encoding.Count > 0
            && (encoding.Count > 1
                || !string.Equals(encoding[0]?.Trim(), "chunked", StringComparison.OrdinalIgnoreCase)
                || request.Protocol == HttpProtocol.Http10
                || request.Headers.ContainsKey(LengthBesideEncoding)))
        {
            return true;
        }

        // A blank ends the target for some.
        return context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan().ContainsAnyInRange('\0', ' ');
    }
}
