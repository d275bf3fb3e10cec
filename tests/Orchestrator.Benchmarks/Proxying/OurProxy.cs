using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ApiServer;
using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;

namespace Orchestrator.Benchmarks.Proxying;

/// <summary>
/// <c>orc proxy</c> as published, in a process of its own, on a real API server in this one. Nobody is at work on that but the proxy:
/// what controller and agents would have written of the replicas is written here.
/// </summary>
internal sealed class OurProxy : IAsyncDisposable
{
    public const string Host = "bench.example.org";
    private const string Namespace = "default";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly EmbeddedApiServer _api;

    private OurProxy(EmbeddedApiServer api, Daemon proxy) => (_api, Proxy) = (api, proxy);

    public Daemon Proxy { get; }

    public static async Task<OurProxy> StartAsync(TemporaryFolder folder, IReadOnlyList<int> replicas, CancellationToken cancellationToken)
    {
        var api = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = folder["api"], Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, cancellationToken);
        try
        {
            await CreateAsync(api, replicas, cancellationToken);
            var port = FreePort.Next();
            var proxy = await Daemon.StartAsync(
                Orc.Path,
                [
                    "proxy", "--kubeconfig", api.AdminKubeconfig, "--data-folder", folder["orc"], "--listen", $"127.0.0.1:{port}",
                    "--admin-listen", $"127.0.0.1:{FreePort.Next()}",
                ],
                port,
                cancellationToken);
            await SeeServingAsync(port, cancellationToken);
            return new OurProxy(api, proxy);
        }
        catch
        {
            await api.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await _api.DisposeAsync();
    }

    private static async Task CreateAsync(EmbeddedApiServer api, IReadOnlyList<int> ports, CancellationToken cancellationToken)
    {
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(api.AdminKubeconfig));
        var (apps, replicas) = (new ResourceClient<WebApp>(kubernetes, "benchmark"), new ResourceClient<Replica>(kubernetes, "benchmark"));
        await apps.CreateAsync(
            new WebApp
            {
                Metadata = new V1ObjectMeta { Name = "bench", NamespaceProperty = Namespace },
                Spec = { Image = "web", Replicas = ports.Count, Route = new Route { Hosts = [Host] } },
            },
            cancellationToken);
        foreach (var port in ports)
        {
            var replica = await replicas.CreateAsync(
                new Replica
                {
                    Metadata = new V1ObjectMeta { Name = $"bench-{port}", NamespaceProperty = Namespace },
                    Spec = { AppName = "bench", Revision = "r1", Template = { Image = "web" }, HostName = "host-1", HostPort = port },
                },
                cancellationToken);
            await replicas.MergePatchStatusAsync(
                ObjectKey.Of(replica), new { status = new { phase = ReplicaPhases.Running, ready = true, address = "127.0.0.1", port } }, cancellationToken);
        }
    }

    private static async Task SeeServingAsync(int port, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { DefaultRequestHeaders = { Host = Host } };
        var target = new Uri($"http://127.0.0.1:{port}{Scenario.All[0].Path}");
        await Eventually.True(
            async () => (await http.GetAsync(target, cancellationToken)).StatusCode == HttpStatusCode.OK, Limit);
    }
}
