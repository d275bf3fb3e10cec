using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Api.WebApps;
using Orchestrator.Proxy.Routing;
using Yarp.ReverseProxy.Forwarder;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>What a route changes of requests and answers. Immutable.</summary>
internal sealed class RequestEdits
{
    private EditingTransformer? _transformer;

    /// <summary>Where <see cref="To"/> goes.</summary>
    public required PathPrefix Prefix { get; init; }

    /// <summary>Takes the place of the prefix; null: it stays.</summary>
    public string? To { get; init; }

    /// <summary>Null: as the client sent it.</summary>
    public string? Host { get; init; }

    public HeaderEdits? Request { get; init; }

    public HeaderEdits? Response { get; init; }

    public static RequestEdits? Of(RouteRules rules) => rules is { Rewrite: null, RequestHeaders: null, ResponseHeaders: null } ? null : new()
    {
        Prefix = new(rules.Path, rules.Exact),
        To = rules.Rewrite?.Path,
        Host = rules.Rewrite?.Host,
        Request = rules.RequestHeaders,
        Response = rules.ResponseHeaders,
    };

    public void ChangeAnswer(IHeaderDictionary headers)
    {
        foreach (var name in Response?.Remove ?? [])
        {
            headers.Remove(name);
        }

        foreach (var header in Response?.Set ?? [])
        {
            headers[header.Name] = header.Value;
        }

        foreach (var header in Response?.Add ?? [])
        {
            headers.Append(header.Name, header.Value);
        }
    }

    /// <summary>The path by which a request goes to its replica; null: as the client sent it.</summary>
    public string? PathOf(HttpRequest request) =>
        To is { } to ? Prefix.Replace(request.Path, request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, to) : null;

    /// <param name="plain">What all requests go through.</param>
    public HttpTransformer After(HttpTransformer plain) => _transformer ??= new EditingTransformer(plain, this);
}
