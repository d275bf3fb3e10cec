using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Orchestrator.Cli.Serving;

/// <summary>Plain HTTP for Prometheus and for whoever watches over us: <c>/metrics</c>, <c>/healthz</c>, <c>/readyz</c>.</summary>
internal sealed class MetricsListener : IAsyncDisposable
{
    private readonly WebApplication _web;

    private MetricsListener(WebApplication web) => _web = web;

    /// <param name="whyNotReady">Null when ready.</param>
    /// <exception cref="IOException">The address is in use.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">It cannot be had for another reason.</exception>
    public static async Task<MetricsListener> StartAsync(
        IPEndPoint address, Func<string?> whyNotReady, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address);
        });
        var web = builder.Build();
        web.Run(context => AnswerAsync(context, whyNotReady));
        try
        {
            await web.StartAsync(cancellationToken);
        }
        catch
        {
            await web.DisposeAsync();
            throw;
        }

        return new MetricsListener(web);
    }

    public async ValueTask DisposeAsync()
    {
        // Nobody loses anything when a scrape is cut off.
        await _web.StopAsync(new CancellationToken(canceled: true));
        await _web.DisposeAsync();
    }

    private static Task AnswerAsync(HttpContext context, Func<string?> whyNotReady)
    {
        switch (context.Request.Path.Value)
        {
            case "/metrics":
                context.Response.ContentType = PrometheusConstants.TextContentTypeWithVersionAndEncoding;
                return Metrics.DefaultRegistry.CollectAndExportAsTextAsync(context.Response.Body, context.RequestAborted);
            case "/healthz":
                return context.Response.WriteAsync("ok\n");
            case "/readyz":
                var reason = whyNotReady();
                context.Response.StatusCode = reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                return context.Response.WriteAsync((reason ?? "ok") + "\n");
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return context.Response.WriteAsync("/metrics, /healthz and /readyz are here\n");
        }
    }
}
