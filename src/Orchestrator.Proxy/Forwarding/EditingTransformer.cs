using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>Makes the changes that a route asks for, after all that is done to any request.</summary>
internal sealed class EditingTransformer(HttpTransformer plain, RequestEdits edits) : HttpTransformer
{
    /// <summary>The client library keeps these with the content (RFC 9110, 8).</summary>
    private static readonly HashSet<string> OfContent = new(StringComparer.OrdinalIgnoreCase)
    {
        "Allow", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-MD5", "Content-Range",
        "Content-Type", "Expires", "Last-Modified",
    };

    private static readonly UriCreationOptions AsIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await plain.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        if (edits.PathOf(httpContext.Request) is { } path)
        {
            proxyRequest.RequestUri = new Uri(destinationPrefix + path + httpContext.Request.QueryString.Value, in AsIs);
        }

        if (edits.Host is { } host)
        {
            proxyRequest.Headers.Host = host;
        }

        foreach (var name in edits.Request?.Remove ?? [])
        {
            HeadersFor(name, proxyRequest)?.Remove(name);
        }

        foreach (var header in edits.Request?.Set ?? [])
        {
            HeadersFor(header.Name, proxyRequest)?.Remove(header.Name);
            HeadersFor(header.Name, proxyRequest)?.TryAddWithoutValidation(header.Name, header.Value);
        }

        foreach (var header in edits.Request?.Add ?? [])
        {
            HeadersFor(header.Name, proxyRequest)?.TryAddWithoutValidation(header.Name, header.Value);
        }
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        var passOn = await plain.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        if (proxyResponse is not null)
        {
            edits.ChangeAnswer(httpContext.Response.Headers);
        }

        return passOn;
    }

    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) =>
        plain.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);

    // Without a content there is nothing that it could be about.
    private static HttpHeaders? HeadersFor(string name, HttpRequestMessage request) =>
        OfContent.Contains(name) ? request.Content?.Headers : request.Headers;
}
