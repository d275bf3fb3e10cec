using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Proxy.Routing;
using Prometheus;

namespace Orchestrator.Proxy.Admin;

/// <summary>
/// For those who run the proxy: <c>/metrics</c>, <c>/healthz</c>, <c>/readyz</c> and <c>/routes</c>, what it serves right now.
/// </summary>
internal sealed class AdminApplication(Routes routes, Func<string?> whyNotReady) : IHttpApplication<HttpContext>
{
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, "only GET and HEAD are served here");
        }

        return context.Request.Path.Value switch
        {
            "/metrics" => MetricsAsync(context),
            "/healthz" => AnswerAsync(context, StatusCodes.Status200OK, "ok"),
            "/readyz" => whyNotReady() is { } reason
                ? AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, reason)
                : AnswerAsync(context, StatusCodes.Status200OK, "ok"),
            "/routes" => RoutesAsync(context),
            _ => AnswerAsync(context, StatusCodes.Status404NotFound, "/metrics, /healthz, /readyz and /routes are served here"),
        };
    }

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        // Nothing is kept.
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }

    private static Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusConstants.TextContentTypeWithVersionAndEncoding;
        return Metrics.DefaultRegistry.CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted);
    }

    private Task RoutesAsync(HttpContext context)
    {
        var dump = routes.Table.Apps.OrderBy(app => app.Key.ToString(), StringComparer.Ordinal).Select(app => new
        {
            app = app.Key.ToString(),
            claims = app.Claims.Select(claim => claim.ToString()),
            balancing = app.Policy.Route.Balancing,
            waiting = app.Waiting.Count,
            app.Shared.Split,
            endpoints = app.Endpoints.Select(endpoint => new
            {
                replica = endpoint.Id.Uid,
                endpoint.Id.Revision,
                endpoint.Id.Zone,
                side = app.Shared.Split is null ? null : app.Shared.IsStable(endpoint) ? "stable" : "others",
                url = endpoint.Prefix,
                endpoint.InFlight,
                suspect = endpoint.IsSuspect,
                avoided = endpoint.Avoided.ToString(),
                latencyMilliseconds = Math.Round(endpoint.Conduct.Latency.TotalMilliseconds, 2),
            }),
        });
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, dump, Readable, context.RequestAborted);
    }
}
