using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orchestrator.HostAgent.Tests.Engines;

/// <summary>Answers as a Docker engine does, for answers that a real one gives only when something breaks.</summary>
internal sealed class StubEngine : IAsyncDisposable
{
    private readonly WebApplication _application;

    private StubEngine(WebApplication application) => _application = application;

    public string Endpoint => _application.Urls.First().Replace("http://", "tcp://", StringComparison.Ordinal);

    public static async Task<StubEngine> StartAsync(Func<HttpContext, Task<bool>> answer, string apiVersion = "1.41", string? minApiVersion = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        application.Run(async context =>
        {
            var path = context.Request.Path.Value!;
            if (await answer(context))
            {
                return;
            }

            if (path.EndsWith("/version", StringComparison.Ordinal))
            {
                await AnswerAsync(context, new { Version = "20.10.24", ApiVersion = apiVersion, MinAPIVersion = minApiVersion, Os = "linux", Arch = "amd64" });
            }
            else if (path.EndsWith("/info", StringComparison.Ordinal))
            {
                await AnswerAsync(context, new { NCPU = 2, MemTotal = 1024, OperatingSystem = "Debian" });
            }
            else
            {
                context.Response.StatusCode = 404;
                await AnswerAsync(context, new { message = "page not found" });
            }
        });
        await application.StartAsync();
        return new StubEngine(application);
    }

    private static Task AnswerAsync(HttpContext context, object answer)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(JsonSerializer.Serialize(answer));
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
