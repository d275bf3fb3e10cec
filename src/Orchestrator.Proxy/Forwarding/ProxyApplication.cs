using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Routing;
using Prometheus;

namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// What a listener does with its requests, directly on Kestrel: no host, no middleware, no routing framework in between. One a
/// listener, since the port decides who serves.
/// </summary>
internal sealed class ProxyApplication(
    int port, Routes routes, Func<bool> routesKnown, RequestIdentity identity, Forwarder forwarder, AccessLog? accessLog, TimeProvider time)
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
        var route = HttpMethods.IsConnect(http.Request.Method) ? null
            : routes.Table.Find(port, http.Request.Host.Value, http.Request.Path.Value, http.Request);
        if (route is null)
        {
            Unrouted.Inc();
            var error = HttpMethods.IsConnect(http.Request.Method) ? ProxyError.TunnelRefused
                : routesKnown() ? ProxyError.NoRoute
                : ProxyError.RoutesUnknown;
            await ErrorResponse.WriteAsync(http, error, null);
            accessLog?.Write(http, null, null, http.Response.StatusCode, time.GetElapsedTime(context.Started));
            return;
        }

        var app = route.App;
        var metrics = app.Metrics;
        metrics.InFlight.Inc();
        ReplicaEndpoint? endpoint = null;
        try
        {
            if (route.Redirect is { } redirect)
            {
                await redirect.AnswerAsync(http);
            }
            else
            {
                endpoint = await forwarder.ForwardAsync(http, app, context.Started);
            }
        }
        finally
        {
            var took = time.GetElapsedTime(context.Started);
            var status = !http.Response.HasStarted && http.RequestAborted.IsCancellationRequested
                ? StatusCodes.Status499ClientClosedRequest
                : http.Response.StatusCode;
            metrics.InFlight.Dec();
            metrics.Requests(status).Inc();
            if (status != StatusCodes.Status101SwitchingProtocols)
            {
                metrics.Duration.Observe(took.TotalSeconds);
            }

            accessLog?.Write(http, app, endpoint, status, took);
        }
    }

    public void DisposeContext(ProxyContext context, Exception? exception) => context.End();
}
