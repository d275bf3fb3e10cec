using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Orchestrator.SimulatedEngines;

/// <summary>Many simulated engines in one server, a unix socket each.</summary>
public sealed class EngineServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly IReadOnlyList<SimulatedEngine> _engines;

    private EngineServer(WebApplication application, IReadOnlyList<SimulatedEngine> engines) => (_application, _engines) = (application, engines);

    /// <summary>Returns when every socket listens.</summary>
    /// <exception cref="IOException">A socket could not be made.</exception>
    public static async Task<EngineServer> StartAsync(SimulationOptions options, TimeProvider time)
    {
        Directory.CreateDirectory(options.Folder);
        SimulatedEngine[] engines = [.. Enumerable.Range(1, options.Engines).Select(_ => new SimulatedEngine(options, time))];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var (index, engine) in engines.Index())
            {
                var socket = options.SocketOf(index + 1);
                File.Delete(socket);

                // Which socket a request came by is which engine it is for.
                kestrel.ListenUnixSocket(socket, listen => listen.Use(next => connection =>
                {
                    connection.Features.Set(engine);
                    return next(connection);
                }));
            }
        });
        var application = builder.Build();
        application.Run(EngineApi.AnswerAsync);
        await application.StartAsync();
        return new EngineServer(application, engines);
    }

    public async ValueTask DisposeAsync()
    {
        // Open event streams would hold an orderly stop up.
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _application.StopAsync(atOnce.Token);
        await _application.DisposeAsync();
        foreach (var engine in _engines)
        {
            engine.Dispose();
        }
    }
}
