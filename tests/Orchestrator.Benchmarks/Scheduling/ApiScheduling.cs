using System.Diagnostics;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.DockerHosts;
using Orchestrator.ApiServer;
using Orchestrator.ControlPlane;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Benchmarks.Scheduling;

/// <summary>
/// The same apps through the embedded API server with its store on disk: the WebApp controller creates each Replica, the scheduler binds
/// it, both by requests. All in this process; no agents, so nothing is started.
/// </summary>
internal static class ApiScheduling
{
    public const int Hosts = 500;
    public const int Replicas = 5_000;

    /// <returns>Replicas created and bound a second, from the first app to the last binding.</returns>
    public static async Task<double> MeasureAsync(CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = folder["data"], Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, cancellationToken);
        using var kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(server.AdminKubeconfig));
        var informers = new SharedInformers(kubernetes, Controllers.FieldManager, NullLoggerFactory.Instance, TimeProvider.System);
        await using var events = new EventRecorder(kubernetes, Controllers.FieldManager, NullLoggerFactory.Instance, TimeProvider.System);
        using var controllers = new Controllers(informers, kubernetes, events, new NoUsage(), NullLoggerFactory.Instance, TimeProvider.System);
        var bound = new CountdownEvent(Replicas);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        informers.Replicas.Subscribe(change =>
        {
            if (change.Old?.Spec.HostName is null && change.New?.Spec.HostName is not null && bound.Signal())
            {
                done.SetResult();
            }
        });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = Task.WhenAll(informers.RunAsync(end.Token), controllers.RunAsync(end.Token));
        try
        {
            for (var i = 0; i < Hosts; i++)
            {
                await CreateHostAsync(informers.HostClient, Fleet.Host(i), cancellationToken);
            }

            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Replicas / Fleet.App(0).DesiredReplicas; i++)
            {
                var app = Fleet.App(i);
                app.Metadata.Uid = null;
                await informers.WebAppClient.CreateAsync(app, cancellationToken);
            }

            await done.Task.WaitAsync(cancellationToken);
            return Replicas / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            await end.CancelAsync();
            await running;
            bound.Dispose();
        }
    }

    private static async Task CreateHostAsync(ResourceClient<DockerHost> client, DockerHost host, CancellationToken cancellationToken)
    {
        await client.CreateAsync(host, cancellationToken);
        await client.MergePatchStatusAsync(ObjectKey.Of(host), new { status = host.Status }, cancellationToken);
    }
}
