using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Tls;
using Orchestrator.Proxy.Tracing;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// What becomes of a request on its way to a replica: the target and Host as the client sent them, and who it was in
/// X-Forwarded-For, -Proto and -Host. What a client says of that itself is dropped: nobody vouches for it here; what trusted proxies
/// say is continued. Fields that either side meant for its connection end here.
/// </summary>
internal sealed class ForwardingTransformer(ProxyOptions options, TimeProvider time) : HttpTransformer
{
    public const string ForwardedFor = "X-Forwarded-For";
    public const string ForwardedProto = "X-Forwarded-Proto";
    public const string ForwardedHost = "X-Forwarded-Host";

    /// <summary>The client's certificate, once it is known to be good (RFC 9440).</summary>
    public const string ClientCertificate = "Client-Cert";

    /// <summary>
    /// Headers by which apps take a client's word for its address, the site's name (RFC 7239 and older custom) or who it is.
    /// </summary>
    public static readonly IReadOnlyList<string> Claimed =
    [
        ForwardedFor, ForwardedProto, ForwardedHost, "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded",
        ClientCertificate, "Client-Cert-Chain",
    ];

    private readonly bool _trusts = options.TrustedProxies.Count > 0;

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
        var chain = _trusts ? httpContext.Features.Get<ForwardedChain>() : null;
        var host = chain?.Host ?? request.Host.Value;
        if (httpContext.Connection.RemoteIpAddress is { } remote)
        {
            headers.TryAddWithoutValidation(ForwardedFor, chain?.ForwardedFor ?? ForwardedChain.TextOf(remote));
            if (options.Forwarded)
            {
                headers.TryAddWithoutValidation("Forwarded", ForwardedChain.Forwarded(chain?.Addresses ?? [remote], request.Scheme, host));
            }
        }

        headers.TryAddWithoutValidation(ForwardedProto, request.Scheme);
        if (!string.IsNullOrEmpty(host))
        {
            headers.TryAddWithoutValidation(ForwardedHost, host);
        }

        if (request.IsHttps && httpContext.Features.Get<VerifiedClient>() is { } client)
        {
            headers.TryAddWithoutValidation(ClientCertificate, client.Field);
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
        if (options.RequestIds)
        {
            // Ours alone, if the replica tells it too.
            httpContext.Response.Headers[RequestIds.Header] = httpContext.Request.Headers[RequestIds.Header];
        }

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

        if (proxyResponse is not null)
        {
            EarlyHead.Arrange(proxyResponse, httpContext.Response);
        }

        return passOn;
    }
}
