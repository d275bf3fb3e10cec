using System.Buffers.Binary;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Cli.Tests.Waiting;

/// <summary>As much of a Docker engine as reading logs and resources in use asks for.</summary>
internal sealed class StubEngine : IAsyncDisposable
{
    private readonly WebApplication _application;

    private StubEngine(WebApplication application) => _application = application;

    public string Endpoint => _application.Urls.First().Replace("http://", "tcp://", StringComparison.Ordinal);

    /// <param name="logs">Lines by the id of their container. The others do not exist.</param>
    /// <param name="usage">What containers use all the time, by id: cores and bytes. The others do not exist.</param>
    public static async Task<StubEngine> StartAsync(
        Dictionary<string, string[]> logs, Dictionary<string, (decimal Cores, long Bytes)>? usage = null)
    {
        var samples = 0;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        application.Run(context => context.Request.Path.Value!.Split('/') switch
        {
            [.., "version"] => AnswerAsync(context, new { Version = "20.10.24", ApiVersion = "1.41", Os = "linux", Arch = "amd64" }),
            [.., "info"] => AnswerAsync(context, new { NCPU = 2, MemTotal = 1024, OperatingSystem = "Debian" }),
            [.., "containers", var id, "json"] when logs.ContainsKey(id) => AnswerAsync(context, new { Id = id, Config = new { Tty = false } }),
            [.., "containers", var id, "logs"] when logs.TryGetValue(id, out var lines) => LogAsync(context, lines),
            [.., "containers", var id, "stats"] when usage is not null && usage.TryGetValue(id, out var used) =>
                AnswerAsync(context, Statistics(used.Cores, used.Bytes, Interlocked.Increment(ref samples))),
            _ => NotFoundAsync(context),
        });
        await application.StartAsync();
        return new StubEngine(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    /// <summary>Engine API: each piece has a head of its stream's number and its length.</summary>
    private static async Task LogAsync(HttpContext context, string[] lines)
    {
        context.Response.ContentType = "application/vnd.docker.multiplexed-stream";
        var tail = int.Parse(context.Request.Query["tail"]!, System.Globalization.CultureInfo.InvariantCulture);
        foreach (var line in lines.TakeLast(tail))
        {
            var text = Encoding.UTF8.GetBytes($"2026-01-01T00:00:00.000000000Z {line}\n");
            var head = new byte[8];
            head[0] = 1;
            BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4), text.Length);
            await context.Response.Body.WriteAsync((byte[])[.. head, .. text]);
        }
    }

    /// <summary>Each sample is taken a second after the one before.</summary>
    private static object Statistics(decimal cores, long bytes, int seconds) => new
    {
        read = DateTime.UnixEpoch.AddYears(50).AddSeconds(seconds).ToString("O", System.Globalization.CultureInfo.InvariantCulture),
        cpu_stats = new { cpu_usage = new { total_usage = (ulong)(cores * seconds * 1_000_000_000) } },
        memory_stats = new { usage = (ulong)bytes + 4096, stats = new { inactive_file = 4096 } },
    };

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return AnswerAsync(context, new { message = "No such container" });
    }

    /// <summary>With the names as they are: the engine's begin with capitals.</summary>
    private static Task AnswerAsync(HttpContext context, object answer) =>
        context.Response.WriteAsJsonAsync(answer, System.Text.Json.JsonSerializerOptions.Default);
}
