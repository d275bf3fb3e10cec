using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api;
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

    public static async Task<OurProxy> StartAsync(
        TemporaryFolder folder, IReadOnlyList<int> replicas, SiteCertificate certificate, CancellationToken cancellationToken)
    {
        var api = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = folder["api"], Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, cancellationToken);
        try
        {
            await CreateAsync(api, replicas, certificate, cancellationToken);
            var (port, tls) = (FreePort.Next(), FreePort.Next());
            var proxy = await Daemon.StartAsync(
                Orc.Path,
                [
                    "proxy", "--kubeconfig", api.AdminKubeconfig, "--data-folder", folder["orc"], "--listen", $"127.0.0.1:{port}",
                    "--tls-listen", $"127.0.0.1:{tls}",
                    "--admin-listen", $"127.0.0.1:{FreePort.Next()}",
                ],
                port,
                cancellationToken,
                tlsPort: tls);
            await SeeServingAsync($"http://127.0.0.1:{port}", cancellationToken);
            await SeeServingAsync($"https://127.0.0.1:{tls}", cancellationToken);
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

    private static async Task CreateAsync(
        EmbeddedApiServer api, IReadOnlyList<int> ports, SiteCertificate certificate, CancellationToken cancellationToken)
    {
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(api.AdminKubeconfig));
        var (apps, replicas) = (new ResourceClient<WebApp>(kubernetes, "benchmark"), new ResourceClient<Replica>(kubernetes, "benchmark"));
        await kubernetes.CoreV1.CreateNamespacedSecretAsync(
            certificate.ToSecret(ProxySecrets.DefaultCertificate), ApiGroup.ProxyNamespace, cancellationToken: cancellationToken);
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

    private static async Task SeeServingAsync(string site, CancellationToken cancellationToken)
    {
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var http = new HttpClient(handler) { DefaultRequestHeaders = { Host = Host } };
        var target = new Uri($"{site}{Scenario.All[0].Path}");
        await Eventually.True(
            async () => (await http.GetAsync(target, cancellationToken)).StatusCode == HttpStatusCode.OK, Limit);
    }
}
