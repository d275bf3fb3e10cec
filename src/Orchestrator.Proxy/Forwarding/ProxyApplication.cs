using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Acme;
using Orchestrator.Proxy.Policies;
using Orchestrator.Proxy.Routing;
using Orchestrator.Proxy.Tls;
using Orchestrator.Proxy.Tracing;
using Prometheus;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// What a listener does with its requests, directly on Kestrel: no host, no middleware, no routing framework in between. One a
/// listener, since the port decides who serves.
/// </summary>
internal sealed class ProxyApplication(
    int port,
    Routes routes,
    Func<bool> routesKnown,
    RequestIdentity identity,
    ChallengeAnswers challenges,
    TlsGate gate,
    RequestBodies bodies,
    Forwarder forwarder,
    AccessLog? accessLog,
    SpanExport? spans,
    TimeProvider time)
    : IHttpApplication<ProxyContext>
{
    private static readonly Counter Unrouted = Metrics.CreateCounter(
        "orchestrator_proxy_unrouted_requests_total", "Requests that belong to no app.");

    public ProxyContext CreateContext(IFeatureCollection contextFeatures)
    {
        ProxyContext context;
        if (contextFeatures is IHostContextContainer<ProxyContext> container)
        {
            context = container.HostContext ??= new ProxyContext();
        }
        else
        {
            context = new ProxyContext();
        }

        context.Begin(contextFeatures, time.GetTimestamp());
        return context;
    }

    public async Task ProcessRequestAsync(ProxyContext context)
    {
        var http = context.Http;
        identity.Establish(http);
        context.Spans = spans?.Begin(http);
        if (RequestCheck.IsAmbiguous(http))
        {
            http.Response.Headers.Connection = "close";
            await RefuseUnroutedAsync(context, ProxyError.Ambiguous);
            return;
        }

        // Before all that apps ask for, a redirect to https among it: that is what the certificate is ordered for.
        if (challenges.AnswerTo(http.Request) is { } answer)
        {
            await ChallengeAnswers.WriteAsync(http.Response, answer);
            accessLog?.Write(http, null, null, http.Response.StatusCode, time.GetElapsedTime(context.Started));
            return;
        }

        var route = IsTunnel(http) ? null : routes.Table.Find(port, http.Request.Host.Value, http.Request.Path.Value, http.Request);
        if (route is null)
        {
            await RefuseUnroutedAsync(context, IsTunnel(http) ? ProxyError.TunnelRefused
                : routesKnown() ? ProxyError.NoRoute
                : ProxyError.RoutesUnknown);
            return;
        }

        var app = route.App;
        var metrics = app.Metrics;
        context.Spans?.Route(app);
        metrics.InFlight.Inc();
        ReplicaEndpoint? endpoint = null;
        try
        {
            if (app.Policy.Route.Tls is { } tls && gate.Stop(http, app, tls, port) is { } stopped)
            {
                await stopped;
            }
            else if (route.Redirect is { } redirect)
            {
                await redirect.AnswerAsync(http);
            }
            else
            {
                endpoint = await LimitedAsync(context, app);
            }
        }
        finally
        {
            var ended = time.GetTimestamp();
            var took = time.GetElapsedTime(context.Started, ended);
            var status = !http.Response.HasStarted && http.RequestAborted.IsCancellationRequested
                ? StatusCodes.Status499ClientClosedRequest
                : GrpcStatus.Of(http, app);
            metrics.InFlight.Dec();
            metrics.Requests(status).Inc();
            var isTimed = status != StatusCodes.Status101SwitchingProtocols && !HttpMethods.IsConnect(http.Request.Method);
            if (isTimed)
            {
                metrics.Duration.Observe(took.TotalSeconds);
            }

            if (context.IsCounted)
            {
                // Without what it was held for: that is not the replicas' doing.
                app.Traffic.End(status, isTimed && endpoint is not null ? time.GetElapsedTime(context.TryStarted, ended) : null);
            }

            context.Spans?.Answer(status);
            accessLog?.Write(http, app, endpoint, status, took);
        }
    }

    /// <summary>CONNECT; but not the way by which a WebSocket is begun on HTTP/2 (RFC 8441), which browsers take.</summary>
    private static bool IsTunnel(HttpContext http) =>
        HttpMethods.IsConnect(http.Request.Method) && http.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true };

    public void DisposeContext(ProxyContext context, Exception? exception) => context.End();

    private async Task RefuseUnroutedAsync(ProxyContext context, ProxyError error)
    {
        Unrouted.Inc();
        await ErrorResponse.WriteAsync(context.Http, error, null);
        accessLog?.Write(context.Http, null, null, context.Http.Response.StatusCode, time.GetElapsedTime(context.Started));
    }

    /// <summary>Turns away what is beyond the app's limits, before a replica is chosen.</summary>
    private ValueTask<ReplicaEndpoint?> LimitedAsync(ProxyContext context, AppState app)
    {
        var (http, policy) = (context.Http, app.Policy);
        if (policy.Rate is { } rate && !rate.TryTake(http, out var retryAfter))
        {
            app.Metrics.Refused(AppMetrics.RateLimit).Inc();
            return RefuseAsync(http, ProxyError.RateLimited, app, retryAfter);
        }

        if (http.Request.ContentLength > policy.MaxRequestBytes)
        {
            app.Metrics.Refused(AppMetrics.SizeLimit).Inc();
            return RefuseAsync(http, ProxyError.RequestTooLarge, app, null);
        }

        bodies.Guard(http, policy);
        context.Count(app);
        return forwarder.ForwardAsync(context, app);
    }

    private static async ValueTask<ReplicaEndpoint?> RefuseAsync(HttpContext http, ProxyError error, AppState app, TimeSpan? retryAfter)
    {
        await ErrorResponse.WriteAsync(http, error, app.Key, retryAfter);
        return null;
    }
}
