using System.Collections.Frozen;
using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orchestrator.Proxy.Clients;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tracing;

/// <summary>
/// The spans of one request, in the words of OpenTelemetry's semantic conventions for HTTP: a server's for the request, and a
/// client's for each try at a replica. Queries and fields other than User-Agent, which may have secrets in them, are in none.
/// </summary>
internal sealed class RequestSpans
{
    /// <summary>Why no answer was given: nobody waited for it any more.</summary>
    public const string ClientGone = nameof(ClientGone);

    private const string ErrorType = "error.type";

    /// <summary>What the conventions call a method or an error that they have no word for.</summary>
    private const string Other = "_OTHER";

    private const string RequestMethod = "http.request.method";
    private const string ResponseStatus = "http.response.status_code";
    private const string ProtocolVersion = "network.protocol.version";

    /// <summary>RFC 9110 and RFC 5789: case counts.</summary>
    private static readonly FrozenSet<string> Methods =
        new[] { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly Activity _request;
    private readonly string _method;
    private Activity? _try;
    private int _tries;
    private int? _status;
    private ProxyError? _refusal;

    private RequestSpans(Activity request, string method) => (_request, _method) = (request, method);

    /// <summary>Begins the request's, once it is known who sends it.</summary>
    /// <returns>Null: nobody listens.</returns>
    public static RequestSpans? Begin(ActivitySource source, HttpContext context)
    {
        var method = MethodOf(context.Request.Method);
        var request = source.StartActivity(NameOf(method), ActivityKind.Server, TraceContext.ParentOf(context.Request.Headers));

        // Whose it is, is known here: what runs on this thread after us is not to guess.
        Activity.Current = null;
        return request is null ? null : new RequestSpans(request, method);
    }

    /// <summary>The app is known.</summary>
    public void Route(AppState app)
    {
        if (!_request.IsAllDataRequested)
        {
            return;
        }

        var path = app.Policy.Route.Path ?? Api.WebApps.Route.DefaultPath;
        _request.DisplayName = $"{NameOf(_method)} {path}";
        _request.SetTag("http.route", path)
            .SetTag("orchestrator.namespace", app.Key.Namespace)
            .SetTag("orchestrator.app", app.Key.Name);
    }

    /// <summary>To be called before the request's fields are read for the replica: traceparent names this try.</summary>
    public void BeginTry(HttpContext context, AppState app, ReplicaEndpoint endpoint)
    {
        StopTry(Other);
        if (_request.IsAllDataRequested)
        {
            _try = _request.Source.StartActivity(NameOf(_method), ActivityKind.Client, _request.Context);
            Activity.Current = null;
        }

        // A trace that is not sampled goes on as well: those behind us are to know that it is not.
        context.Request.Headers.TraceParent = (_try ?? _request).Id;
        if (_try is { IsAllDataRequested: true } span)
        {
            var (replica, path) = (endpoint.Id, app.Policy.Rules?.Edits?.PathOf(context.Request) ?? context.Request.Path.ToUriComponent());
            span.SetTag(RequestMethod, _method)
                .SetTag("url.full", endpoint.Prefix + path)
                .SetTag("server.address", replica.Address)
                .SetTag("server.port", replica.Port)
                .SetTag("orchestrator.replica.uid", replica.Uid)
                .SetTag("orchestrator.replica.revision", replica.Revision);
            _ = _tries == 0 ? span : span.SetTag("http.request.resend_count", _tries);
        }

        _tries++;
    }

    /// <summary>The try has ended, by an answer or without.</summary>
    /// <param name="status">By which it counts.</param>
    /// <param name="error">Null: the replica's answer went to the client.</param>
    public void EndTry(HttpContext context, int status, string? error = null)
    {
        if (error is null || context.Response.HasStarted)
        {
            _try?.SetTag(ResponseStatus, context.Response.StatusCode);
        }

        StopTry(error ?? (status >= StatusCodes.Status400BadRequest ? TextOf(status) : null));
    }

    /// <summary>The answer is the proxy's own.</summary>
    public void Refuse(ProxyError error) => _refusal = error;

    /// <param name="status">By which the request counts, where that is not the answer's.</param>
    public void Answer(int status) => _status = status;

    public void End(HttpContext context)
    {
        StopTry(Other);
        if (_request.IsAllDataRequested)
        {
            Describe(context);
        }

        _request.Stop();
    }

    private void Describe(HttpContext context)
    {
        var request = context.Request;
        var status = _status ?? context.Response.StatusCode;
        var isGone = status == StatusCodes.Status499ClientClosedRequest;
        var host = context.Features.Get<ForwardedChain>()?.Host is { } claimed ? new HostString(claimed) : request.Host;
        _request.SetTag(RequestMethod, _method)
            .SetTag("http.request.method_original", _method == Other ? request.Method : null)
            .SetTag("url.scheme", request.Scheme)
            .SetTag("url.path", request.PathBase.ToUriComponent() + request.Path.ToUriComponent())
            .SetTag("server.address", host.HasValue ? host.Host : null)
            .SetTag("server.port", host.Port)
            .SetTag("client.address", context.Connection.RemoteIpAddress is { } client ? ForwardedChain.TextOf(client) : null)
            .SetTag(ProtocolVersion, VersionOf(request.Protocol))
            .SetTag("user_agent.original", (string?)request.Headers.UserAgent)
            .SetTag(ResponseStatus, isGone ? null : context.Response.StatusCode)
            .SetTag(ErrorType, isGone ? ClientGone : _refusal?.Reason ?? (status >= StatusCodes.Status500InternalServerError ? TextOf(status) : null));

        // What is the client's fault is no error of a server (semantic conventions, HTTP server spans).
        if (status >= StatusCodes.Status500InternalServerError)
        {
            _request.SetStatus(ActivityStatusCode.Error);
        }
    }

    private void StopTry(string? error)
    {
        if (_try is not { } span)
        {
            return;
        }

        if (error is not null)
        {
            span.SetTag(ErrorType, error).SetStatus(ActivityStatusCode.Error);
        }

        span.Stop();
        Activity.Current = null;
        _try = null;
    }

    /// <summary>What anyone may make up is no good in a span's name.</summary>
    private static string MethodOf(string method) => Methods.Contains(method) ? method : Other;

    private static string NameOf(string method) => method == Other ? "HTTP" : method;

    private static string VersionOf(string protocol) => HttpProtocol.IsHttp2(protocol) ? "2" : protocol["HTTP/".Length..];

    private static string TextOf(int status) => status.ToString(CultureInfo.InvariantCulture);
}
