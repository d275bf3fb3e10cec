using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Balancing;

namespace Orchestrator.Proxy.Tracing;

/// <summary>
/// A name for each request, by which the app's log, the access log and what a user reports find together: kept from a trusted
/// proxy, made otherwise.
/// </summary>
internal sealed class RequestIds(SharedRandom random)
{
    public const string Header = "X-Request-Id";

    /// <summary>Characters; a longer one is not kept.</summary>
    private const int MaxLength = 128;

    private static readonly SearchValues<char> Letters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@");

    // Of this process, so that two proxies never give the same.
    private readonly string _prefix = random.NextBits().ToString("x16", CultureInfo.InvariantCulture);
    private long _count;

    /// <summary>Gives the request its id, and the answer too; both are passed on.</summary>
    public void Give(HttpContext context, bool trusted)
    {
        var headers = context.Request.Headers;
        var id = trusted && headers.TryGetValue(Header, out var given) && given is [{ Length: > 0 and <= MaxLength } kept]
            && !kept.AsSpan().ContainsAnyExcept(Letters)
            ? kept
            : string.Create(CultureInfo.InvariantCulture, $"{_prefix}-{Interlocked.Increment(ref _count):x8}");
        headers[Header] = id;
        context.Response.Headers[Header] = id;
    }

    /// <summary>Takes back what was written of an answer, but for the id.</summary>
    public static void Clear(HttpResponse response)
    {
        var id = response.Headers[Header];
        response.Clear();
        if (id.Count > 0)
        {
            response.Headers[Header] = id;
        }
    }
}
