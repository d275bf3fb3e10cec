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

    /// <param name="plain">What all requests go through.</param>
    public HttpTransformer After(HttpTransformer plain) => _transformer ??= new EditingTransformer(plain, this);
}
