using System.Net;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orchestrator.HostAgent.Probing;

namespace Orchestrator.HostAgent.Tests.Probing;

/// <summary>Against the gRPC project's own health service.</summary>
public sealed class GrpcProberTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly ProbeScheduler _scheduler = new(TimeProvider.System);

    public void Dispose() => _scheduler.Dispose();

    [Theory]
    [InlineData("", HealthCheckResponse.Types.ServingStatus.Serving, null)]
    [InlineData("shop.v1.Cart", HealthCheckResponse.Types.ServingStatus.Serving, null)]
    [InlineData("", HealthCheckResponse.Types.ServingStatus.NotServing, "the server is NOT_SERVING")]
    [InlineData("shop.v1.Cart", HealthCheckResponse.Types.ServingStatus.NotServing, "service \"shop.v1.Cart\" is NOT_SERVING")]
    [InlineData("shop.v1.Cart", HealthCheckResponse.Types.ServingStatus.Unknown, "service \"shop.v1.Cart\" is UNKNOWN")]
    [InlineData("shop.v1.Cart", HealthCheckResponse.Types.ServingStatus.ServiceUnknown, "service \"shop.v1.Cart\" is SERVICE_UNKNOWN")]
    public async Task It_goes_by_the_status_of_the_service_that_is_asked_for(
        string service, HealthCheckResponse.Types.ServingStatus status, string? message)
    {
        await using var server = await HealthServer.StartAsync(health => health.SetStatus(service, status));
        Assert.Equal(
            message is null ? ProbeOutcome.Passed : ProbeOutcome.Failed(message), await AskAsync(server.Port, service));
    }

    [Fact]
    public async Task A_service_with_a_name_of_any_length_is_asked_for_by_it()
    {
        var service = new string('s', 300);
        await using var server = await HealthServer.StartAsync(health => health.SetStatus(service, HealthCheckResponse.Types.ServingStatus.Serving));
        Assert.Equal(ProbeOutcome.Passed, await AskAsync(server.Port, service));
    }

    [Fact]
    public async Task A_service_that_the_server_does_not_know_is_named()
    {
        await using var server = await HealthServer.StartAsync(_ => { });
        var outcome = await AskAsync(server.Port, "shop");

        Assert.Equal(ProbeResult.Failed, outcome.Result);
        Assert.StartsWith("the server knows no service \"shop\" (NOT_FOUND", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gRPC_server_without_health_checks_is_told_apart()
    {
        await using var server = await HealthServer.StartAsync(health: null, app => app.MapGrpcService<NothingService>());
        var outcome = await AskAsync(server.Port, "");

        Assert.Equal(ProbeResult.Failed, outcome.Result);
        Assert.StartsWith("the server does not implement grpc.health.v1.Health (UNIMPLEMENTED", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_HTTP_2_server_that_is_no_gRPC_server_is_told_apart()
    {
        await using var server = await HealthServer.StartAsync(health: null, app => app.MapGet("/", () => "a page"));
        Assert.Equal(
            ProbeOutcome.Failed("the health check of the server was answered with HTTP status 404 and no grpc-status: no gRPC server"),
            await AskAsync(server.Port, ""));
    }

    [Fact]
    public async Task A_server_that_answers_something_else_is_told_apart()
    {
        await using var server = await HealthServer.StartAsync(health: null, app => app.MapPost("/{**path}", async (HttpContext context) =>
        {
            await context.Response.Body.WriteAsync("hello"u8.ToArray());
            context.Response.AppendTrailer("grpc-status", "0");
        }));
        Assert.Equal(
            ProbeOutcome.Failed("the health check of the server was answered with something else than a HealthCheckResponse"),
            await AskAsync(server.Port, ""));
    }

    [Fact]
    public async Task A_server_of_HTTP_1_is_told_apart()
    {
        await using var server = new LoopbackServer(async stream =>
        {
            await LoopbackServer.ReadRequestAsync(stream);
            await LoopbackServer.AnswerAsync(stream, "400 Bad Request");
        });
        var outcome = await AskAsync(server.Port, "");

        Assert.Equal(ProbeResult.Failed, outcome.Result);
        Assert.Contains("does not speak gRPC (HTTP/2 without TLS)", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_listens_fails_and_says_so()
    {
        var port = FreePort.Next();
        var outcome = await AskAsync(port, "");

        Assert.Equal(ProbeResult.Failed, outcome.Result);
        Assert.StartsWith($"no connection to 127.0.0.1:{port} for the gRPC health check: Connection refused", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_in_time_fails_and_says_so()
    {
        await using var server = new LoopbackServer(stream => LoopbackServer.WaitForCloseAsync(stream));
        Assert.Equal(
            ProbeOutcome.Late($"127.0.0.1:{server.Port} gave no answer to the gRPC health check within 0.1 s"),
            await AskAsync(server.Port, "", TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public async Task Each_look_has_a_connection_of_its_own_and_leaves_none()
    {
        await using var server = await HealthServer.StartAsync(health => health.SetStatus("", HealthCheckResponse.Types.ServingStatus.Serving));
        await AskAsync(server.Port, "");
        await AskAsync(server.Port, "");

        Assert.Equal(2, server.Connections);
        await Eventually.See(() => server.OpenConnections, open => open == 0);
    }

    private Task<ProbeOutcome> AskAsync(int port, string service, TimeSpan? timeout = null) => GrpcProber.ProbeAsync(
        new ProbeHandler.Grpc(service), "127.0.0.1", port, timeout ?? Timeout, _scheduler, TestContext.Current.CancellationToken);
}

/// <summary>A service of gRPC's that has no health checks: none at all.</summary>
[Grpc.Core.BindServiceMethod(typeof(NothingService), nameof(Bind))]
public class NothingService
{
    public static void Bind(Grpc.Core.ServiceBinderBase binder, NothingService? service)
    {
        // There is no method to bind.
    }
}

/// <summary>Kestrel with HTTP/2 without TLS on loopback.</summary>
internal sealed class HealthServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _connections;
    private int _open;

    private HealthServer(HealthServiceImpl? health, Action<WebApplication>? map)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        if (health is not null)
        {
            builder.Services.AddSingleton(health);
        }

        builder.WebHost.UseSetting("urls", "");
        builder.Services.Configure<KestrelServerOptions>(options => options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => async connection =>
            {
                Interlocked.Increment(ref _connections);
                Interlocked.Increment(ref _open);
                try
                {
                    await next(connection);
                }
                finally
                {
                    Interlocked.Decrement(ref _open);
                }
            });
        }));
        _app = builder.Build();
        if (health is not null)
        {
            _app.MapGrpcService<HealthServiceImpl>();
        }

        map?.Invoke(_app);
    }

    public int Connections => _connections;

    public int OpenConnections => Volatile.Read(ref _open);

    public int Port => new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;

    public static Task<HealthServer> StartAsync(Action<HealthServiceImpl> prepare)
    {
        var health = new HealthServiceImpl();
        prepare(health);
        return StartAsync(health, map: null);
    }

    public static async Task<HealthServer> StartAsync(HealthServiceImpl? health, Action<WebApplication>? map)
    {
        var server = new HealthServer(health, map);
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
