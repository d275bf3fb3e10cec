using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Api.Replicas;
using Orchestrator.Cli.Tests.Commands;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Cli.Tests.Serving;

/// <summary>A real <c>orc proxy</c> that may have few files open, and more clients than that.</summary>
public sealed class ConnectionRoomTests(ServerFixture server) : IAsyncLifetime
{
    private const int MostFiles = 400;
    private const string HostName = "few.example.org";

    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private readonly int _adminPort = FreePort.Next();
    private readonly TaskCompletionSource _released = new();
    private readonly List<Socket> _idle = [];
    private WebApplication? _replica;
    private Process? _proxy;
    private Task<string> _said = Task.FromResult("");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connections_beyond_what_there_is_room_for_wait_and_those_that_are_there_are_served()
    {
        using var kept = Client();
        await Eventually.True(async () => await kept.GetStringAsync("/", Cancellation) == "web", TimeSpan.FromSeconds(60));

        Connect(MostFiles);

        await Eventually.True(async () => await WaitsAsync() > 0);
        using var newcomer = Client();
        var waiting = newcomer.GetStringAsync("/", Cancellation);
        Assert.Equal("web", await kept.GetStringAsync("/", Cancellation));
        Assert.False(waiting.IsCompleted);
        _idle.ForEach(socket => socket.Dispose());
        Assert.Equal("web", await waiting);
        Assert.Contains($"of the {MostFiles} that this process may have", await StopAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_lets_connections_wait_stops_in_good_order()
    {
        using var client = Client();
        await Eventually.True(async () => await client.GetStringAsync("/", Cancellation) == "web", TimeSpan.FromSeconds(60));

        Connect(MostFiles);
        await Eventually.True(async () => await WaitsAsync() > 0);

        await StopAsync();
    }

    [Fact]
    public async Task Requests_beyond_it_are_told_so_and_it_is_no_fault_of_the_replica()
    {
        using var client = Client(HttpVersion.Version20);
        await Eventually.True(async () => await client.GetStringAsync("/", Cancellation) == "web", TimeSpan.FromSeconds(60));

        // All by one connection, and each takes one of its own to the replica.
        var requests = Enumerable.Range(0, 250).Select(_ => client.GetAsync("/slow", Cancellation)).ToList();
        var first = await await Task.WhenAny(requests);
        _released.SetResult();
        var answers = await Task.WhenAll(requests);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, first.StatusCode);
        Assert.StartsWith("503 NoSocket:", await first.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable], answers.Select(answer => answer.StatusCode).Distinct().Order());
        await Eventually.True(async () => await client.GetStringAsync("/", Cancellation) == "web");
        Assert.DoesNotContain("is avoided", await StopAsync(), StringComparison.Ordinal);
    }

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _replica = builder.Build();
        _replica.Run(async context =>
        {
            await (context.Request.Path == "/slow" ? _released.Task : Task.CompletedTask);
            await context.Response.WriteAsync("web");
        });
        await _replica.StartAsync(Cancellation);
        await CreateAsync(await server.NamespaceAsync(), new Uri(_replica.Urls.First()).Port);
        _proxy = Start();
        _said = _proxy.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        _idle.ForEach(socket => socket.Dispose());
        if (_proxy is { } proxy)
        {
            proxy.Kill();
            await proxy.WaitForExitAsync(CancellationToken.None);
            proxy.Dispose();
        }

        await _replica!.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>An app, and a replica of it that is ready.</summary>
    private async Task CreateAsync(string space, int port)
    {
        (await server.OrcAsync(["apply", "-f", "-"], $$"""
            apiVersion: orchestrator.dev/v1
            kind: WebApp
            metadata: { name: few, namespace: {{space}} }
            spec: { image: web, replicas: 1, port: 8080, route: { hosts: [{{HostName}}], port: {{_port}} } }
            """)).OrThrow();
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(server.Kubeconfig));
        var replicas = new ResourceClient<Replica>(kubernetes, "test");
        var replica = await replicas.CreateAsync(
            new Replica
            {
                Metadata = new V1ObjectMeta { Name = "few-1", NamespaceProperty = space },
                Spec = { AppName = "few", Revision = "r1", Template = { Image = "web" }, HostName = "host-1", HostPort = port },
            },
            Cancellation);
        await replicas.MergePatchStatusAsync(
            ObjectKey.Of(replica), new { status = new { phase = ReplicaPhases.Running, ready = true, address = "127.0.0.1", port } }, Cancellation);
    }

    private Process Start() => Process.Start(new ProcessStartInfo(
        "/bin/bash",
        [
            "-c", $"ulimit -Sn {MostFiles} && ulimit -Hn {MostFiles} && exec \"$0\" \"$@\"", ServerFixture.OrcPath, "proxy", "--kubeconfig", server.ProxyKubeconfig,
            "--data-folder", _folder["proxy"], "--listen", "127.0.0.1:0", "--admin-listen", $"127.0.0.1:{_adminPort}",
        ])
    {
        RedirectStandardError = true,
    })!;

    /// <summary>In good order, which it can still do.</summary>
    /// <returns>What it has said.</returns>
    private async Task<string> StopAsync()
    {
        Assert.Equal(0, Native.Kill(_proxy!.Id, Native.Sigterm));
        await _proxy.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(60), Cancellation);
        Assert.Equal(ExitCodes.Done, _proxy.ExitCode);
        return await _said;
    }

    private HttpClient Client(Version? version = null) => new()
    {
        BaseAddress = new Uri($"http://127.0.0.1:{_port}/"),
        DefaultRequestHeaders = { Host = HostName },
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>So many that say nothing.</summary>
    private void Connect(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _idle.Add(socket);
            socket.Connect(IPAddress.Loopback, _port);
        }
    }

    private async Task<double> WaitsAsync()
    {
        using var http = new HttpClient();
        var metrics = await http.GetStringAsync(new Uri($"http://127.0.0.1:{_adminPort}/metrics"), Cancellation);
        var line = metrics.Split('\n').Single(line => line.StartsWith("orchestrator_proxy_accept_waits_total ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
