using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Tests.Support;

/// <summary>A real web server on loopback that stands for a replica. Answers with its name unless told otherwise.</summary>
internal sealed class ReplicaServer : IAsyncDisposable
{
    private readonly WebApplication _web;
    private int _requests;

    private ReplicaServer(WebApplication web, string name) => (_web, Name) = (web, name);

    public string Name { get; }

    public int Port { get; private set; }

    public int Requests => Volatile.Read(ref _requests);

    public EndpointId Id => new(Name, "127.0.0.1", Port);

    public EndpointId Of(string revision) => Id with { Revision = revision };

    /// <param name="port">0: any.</param>
    /// <param name="protocols">Without TLS it speaks one alone.</param>
    public static async Task<ReplicaServer> StartAsync(
        string name, RequestDelegate? handler = null, int port = 0, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = protocols);
        });
        var web = builder.Build();
        var server = new ReplicaServer(web, name);
        web.UseWebSockets();
        web.Run(context =>
        {
            Interlocked.Increment(ref server._requests);
            return handler is null ? context.Response.WriteAsync(name, context.RequestAborted) : handler(context);
        });
        await web.StartAsync();
        server.Port = new Uri(web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
        return server;
    }

    /// <summary>As a container ends on its stop signal: finishes what it serves and refuses the rest.</summary>
    public Task StopAsync() => _web.StopAsync();

    public ValueTask DisposeAsync() => _web.DisposeAsync();
}
