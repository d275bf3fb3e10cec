using System.Collections.Concurrent;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Api.Replicas;
using Orchestrator.Api.WebApps;
using Orchestrator.ApiServer;
using Orchestrator.Proxy.Balancing;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Benchmarks.Routing;

/// <summary>
/// Apps with a host name and five ready replicas each in a real API server, and what <c>orc proxy</c> makes of them: informers, the watcher,
/// the table. Nothing runs behind the replicas, and nobody else is at work on the server.
/// </summary>
internal sealed class RoutedApps : IAsyncDisposable
{
    public const int ReplicasEach = 5;
    private const int Port = 8080;
    private const int Creating = 16;
    private const string Namespace = "default";

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Routes _routes = new(Port, new SharedRandom(1), TimeProvider.System);
    private readonly SemaphoreSlim _applied = new(0);
    private readonly ConcurrentDictionary<string, Replica> _replicas = new(StringComparer.Ordinal);
    private EmbeddedApiServer? _server;
    private Kubernetes? _kubernetes;
    private SharedInformers? _informers;
    private Task _running = Task.CompletedTask;

    public static string HostOf(int app) => $"app-{app}.example.org";

    public static async Task<RoutedApps> StartAsync(int apps, CancellationToken cancellationToken)
    {
        var started = new RoutedApps();
        try
        {
            await started.FillAsync(apps, cancellationToken);
            await started.WatchAsync(cancellationToken);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public bool Find(string host) => _routes.Table.Find(Port, host, "/some/path") is not null;

    /// <summary>Makes a replica unready or ready again, and waits until no request would go to it, or some would.</summary>
    /// <returns>From the API server's answer until then.</returns>
    public async Task<TimeSpan> ChangeAsync(int app, bool ready, CancellationToken cancellationToken)
    {
        var replica = _replicas[NameOf(app, 0)];
        var state = _routes.Table.Find(Port, HostOf(app), "/")!.App;
        await _informers!.ReplicaClient.MergePatchStatusAsync(ObjectKey.Of(replica), new { status = new { ready } }, cancellationToken);
        var answered = TimeProvider.System.GetTimestamp();
        while (state.Endpoints.Any(endpoint => endpoint.Id.Uid == replica.Metadata.Uid) != ready)
        {
            await _applied.WaitAsync(cancellationToken);
        }

        return TimeProvider.System.GetElapsedTime(answered);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _kubernetes?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _routes.Clear();
        _end.Dispose();
        _applied.Dispose();
        _folder.Dispose();
    }

    private static string NameOf(int app, int replica) => $"app-{app}-{replica}";

    private async Task FillAsync(int apps, CancellationToken cancellationToken)
    {
        _server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataFolder = _folder["data"], Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, cancellationToken);
        _kubernetes = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(_server.AdminKubeconfig));
        _informers = new SharedInformers(_kubernetes, "bench-routes", NullLoggerFactory.Instance, TimeProvider.System);
        var options = new ParallelOptions { MaxDegreeOfParallelism = Creating, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, apps, options, async (app, cancellation) =>
        {
            await _informers.WebAppClient.CreateAsync(NewApp(app), cancellation);
            for (var i = 0; i < ReplicasEach; i++)
            {
                var replica = await _informers.ReplicaClient.CreateAsync(NewReplica(app, i), cancellation);
                var status = new ReplicaStatus { Phase = ReplicaPhases.Running, Ready = true, Address = $"10.0.{app % 200}.{i + 1}", Port = replica.Spec.HostPort };
                _replicas[replica.Metadata.Name] = await _informers.ReplicaClient.MergePatchStatusAsync(ObjectKey.Of(replica), new { status }, cancellation);
            }
        });
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        var watcher = new RouteWatcher(
            _informers!.WebApps, _informers.Replicas, _routes, NullLogger<RouteWatcher>.Instance, TimeProvider.System);
        watcher.Applied += () => _applied.Release();
        _running = Task.WhenAll(_informers.WebApps.RunAsync(_end.Token), _informers.Replicas.RunAsync(_end.Token), watcher.RunAsync(_end.Token));
        await Task.WhenAny(watcher.WaitForSyncAsync(cancellationToken), _running);
    }

    private static WebApp NewApp(int app) => new()
    {
        Metadata = new V1ObjectMeta { Name = $"app-{app}", NamespaceProperty = Namespace },
        Spec = new WebAppSpec { Image = "registry.example/web:v1", Replicas = ReplicasEach, Route = new Route { Hosts = [HostOf(app)] } },
    };

    private static Replica NewReplica(int app, int replica) => new()
    {
        Metadata = new V1ObjectMeta { Name = NameOf(app, replica), NamespaceProperty = Namespace },
        Spec = new ReplicaSpec
        {
            AppName = $"app-{app}",
            Revision = "r1",
            Template = NewApp(app).Spec.ToTemplate(),
            HostName = $"h{app % 200}",
            HostPort = 20000 + (app / 200 * ReplicasEach) + replica,
        },
    };
}
