using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// What becomes of a request on its way to a replica: the target and Host as the client sent them, and who it was in
/// X-Forwarded-For, -Proto and -Host. What a client says of that itself is dropped: nobody vouches for it here. Fields that either
/// side meant for its connection end here.
/// </summary>
internal sealed class ForwardingTransformer(TimeProvider time) : HttpTransformer
{
    public const string ForwardedFor = "X-Forwarded-For";
    public const string ForwardedProto = "X-Forwarded-Proto";
    public const string ForwardedHost = "X-Forwarded-Host";

    /// <summary>Headers by which apps take a client's word for its address or the site's name (RFC 7239 and older custom).</summary>
    private static readonly string[] Claimed =
        [ForwardedFor, ForwardedProto, ForwardedHost, "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded"];

    private static readonly UriCreationOptions AsSent = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        var request = httpContext.Request;
        foreach (var name in Claimed)
        {
            request.Headers.Remove(name);
        }

        // Beside keep-alive, close or Upgrade Kestrel has forgotten what else was named: then the fields go on, as harmless as ever.
        ConnectionOptions.RemoveNamed(request.Headers.Connection, request.Headers);

        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);

        var headers = proxyRequest.Headers;
        if (httpContext.Connection.RemoteIpAddress is { } remote)
        {
            headers.TryAddWithoutValidation(ForwardedFor, TextOf(remote));
        }

        headers.TryAddWithoutValidation(ForwardedProto, request.Scheme);
        if (request.Host.Value is { Length: > 0 } host)
        {
            headers.TryAddWithoutValidation(ForwardedHost, host);
        }

        // The target as it came, byte for byte: signatures are made over it, and apps tell %2F from a slash. Absolute targets
        // (RFC 9112, 3.2.2) are left to the forwarder, which puts them together from their parts.
        var target = httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target.StartsWith('/'))
        {
            proxyRequest.RequestUri = new Uri(destinationPrefix + target, in AsSent);
        }
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        var request = ProxyContext.Of(httpContext);
        request?.Answer(time.GetTimestamp());
        var passOn = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        if (request is { App: { Policy.Sticky: { } sticky } app, Endpoint: { } endpoint })
        {
            sticky.Set(httpContext, app.Uid, endpoint);
        }

        if (proxyResponse?.Headers.NonValidated.TryGetValues(HeaderNames.Connection, out var connection) == true)
        {
            foreach (var value in connection)
            {
                ConnectionOptions.RemoveNamed(value, httpContext.Response.Headers);
            }
        }

        return passOn;
    }

    private static string TextOf(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4().ToString() : address.ToString();
}
