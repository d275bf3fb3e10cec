using System.Net;
using System.Net.Sockets;
using k8s;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Orchestrator.ApiServer;
using Orchestrator.ApiServer.Storage;
using Orchestrator.Cli.Connection;
using Orchestrator.ControlPlane;
using Orchestrator.HostAgent;
using Orchestrator.Runtime;
using Orchestrator.Runtime.Events;
using Orchestrator.Runtime.Informers;
using Orchestrator.Runtime.LeaderElection;
using Prometheus;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// The parts of <c>orc serve</c>, put together: each is a client of the API server, and they know nothing of each other. Started
/// from the API server outwards, stopped the other way round (docs/design/process-model.md).
/// </summary>
internal sealed partial class Server(ServeOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private const string LeaseName = "orchestrator-controller";
    private const string EventSource = "orchestrator";

    /// <summary>More than a proxy takes to end when nothing is in flight any more.</summary>
    private static readonly TimeSpan ProxyExtraTime = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = loggers.CreateLogger<Server>();
    private volatile SharedInformers? _informers;
    private bool _ready;

    /// <param name="stop">Stop in an orderly way.</param>
    /// <param name="hurry">Stop waiting for the proxy to finish.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="CommandException">It cannot start, or a part has failed; says why.</exception>
    public async Task<int> RunAsync(CancellationToken stop, CancellationToken hurry)
    {
        // By default prometheus-net turns on every event counter and meter of the framework: series by the hundred, and processor time.
        Metrics.SuppressDefaultMetrics(new SuppressDefaultMetricOptions { SuppressEventCounters = true, SuppressMeters = true });
        var started = time.GetTimestamp();
        var firstStart = options.Cluster is null && !Directory.Exists(options.DataFolder);
        try
        {
            // First, so that no client connection of ours can have its port, and a slow start can be watched. When it is taken, it
            // is most likely by another server on this folder: that is then said first.
            var (metrics, taken) = await ListenForMetricsAsync(stop);
            await using var listening = metrics;
            await using var api = options.Cluster is null ? await StartApiAsync(stop) : null;
            if (taken is not null)
            {
                throw taken;
            }

            using var kubernetes = new Kubernetes(options.Cluster ?? new KubeconfigChoice([api!.ControllerKubeconfig], "the embedded server").Load(null));
            if (api is null)
            {
                await ClusterCheck.RunAsync(kubernetes, stop);
            }

            var supervisor = options.ProxyArguments is { } arguments ? Supervisor(arguments(api?.ProxyKubeconfig)) : null;
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var supervising = supervisor is null ? Task.CompletedTask : Task.Run(() => supervisor.RunAsync(stopping.Token), CancellationToken.None);
            try
            {
                await RunPartsAsync(api, kubernetes, supervisor is null ? [] : [supervising], started, firstStart, stop);
            }
            finally
            {
                await stopping.CancelAsync();
                try
                {
                    await supervising;
                }
                finally
                {
                    // A server that fails while it runs leaves the proxy to the next one; one that never ran leaves nothing behind.
                    if (supervisor is not null && (stop.IsCancellationRequested || (!_ready && !supervisor.HasAdopted)))
                    {
                        await StopProxyAsync(supervisor, hurry);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop while starting.
        }

        Log.Stopped(_logger);
        return ExitCodes.Done;
    }

    /// <param name="beside">Parts that run already, and stop after these.</param>
    private async Task RunPartsAsync(
        EmbeddedApiServer? api, Kubernetes kubernetes, IReadOnlyList<Task> beside, long started, bool firstStart, CancellationToken stop)
    {
        var instance = await InstanceId.EnsureAsync(kubernetes, stop);
        var informers = new SharedInformers(kubernetes, Controllers.FieldManager, loggers, time);
        await using var events = new EventRecorder(kubernetes, EventSource, loggers, time);
        using var agents = new HostAgents(informers, kubernetes, events, instance, loggers, time);
        using var controllers = new Controllers(informers, kubernetes, events, agents, loggers, time, options.Rebalance, options.Acme);
        _informers = informers;

        // One token for all: the first part that ends, in whatever way, ends the others.
        using var together = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task Work(CancellationToken token) => Task.WhenAll(controllers.RunAsync(token), agents.RunAsync(token));
        var leadership = new Leadership(informers.LeaseClient, LeaseName, $"{Environment.MachineName}_{Guid.NewGuid():N}", loggers.CreateLogger<Leadership>(), time);
        var parts = new List<Task>
        {
            Task.Run(() => informers.RunAsync(together.Token), CancellationToken.None),

            // An embedded server's data folder is locked: there is nobody to contend with.
            Task.Run(() => api is null ? leadership.RunAsync(Work, together.Token) : Work(together.Token), CancellationToken.None),
            IdleMemory.OfThisProcess(time, isServing: () => false).RunAsync(together.Token),
        };
        try
        {
            await informers.WaitForSyncAsync(stop);
            _ready = true;
            Log.Ready(_logger, time.GetElapsedTime(started).TotalMilliseconds);
            var offered = api is not null && options.TakeLocalEngine
                && await new LocalEngine(informers, options.DataFolder, _logger).OfferAsync(stop);
            if (options.Banner && api is not null)
            {
                new Banner(options, api).Write(time.GetElapsedTime(started), firstStart, hasHosts: offered || informers.Hosts.Items.Count > 0);
            }

            var ended = await Task.WhenAny([.. parts, .. beside, Task.Delay(Timeout.InfiniteTimeSpan, time, stop)]);

            // A part that hears of the stop may end before the wait for it does.
            stop.ThrowIfCancellationRequested();
            await ended;
            throw CommandException.Failed("a part of the server ended by itself");
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Log.Stopping(_logger);
        }
        finally
        {
            await together.CancelAsync();
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<(MetricsListener? Listener, CommandException? Taken)> ListenForMetricsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return options.Metrics is { } address
                ? (await ListenAsync(() => MetricsListener.StartAsync(address, WhyNotReady, loggers, cancellationToken), address, "--metrics-listen"), null)
                : (null, null);
        }
        catch (CommandException taken)
        {
            return (null, taken);
        }
    }

    private async Task<EmbeddedApiServer> StartApiAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ListenAsync(
                () => EmbeddedApiServer.StartAsync(
                    new ApiServerOptions { DataFolder = options.DataFolder, Address = options.Api.Address, Port = options.Api.Port }, loggers, time, cancellationToken),
                options.Api,
                "--address and --port");
        }
        catch (DataFolderInUseException inUse)
        {
            throw new CommandException(ExitCodes.InUse, inUse.Message, inUse);
        }
        catch (StorageException damaged)
        {
            throw CommandException.Failed(damaged.Message);
        }
    }

    /// <exception cref="CommandException">The address is in use, not this machine's, or not ours to take.</exception>
    private static async Task<T> ListenAsync<T>(Func<Task<T>> start, IPEndPoint address, string option)
    {
        try
        {
            return await start();
        }
        catch (IOException failure) when (failure.InnerException is AddressInUseException || failure.Message.Contains("in use", StringComparison.Ordinal))
        {
            throw new CommandException(ExitCodes.InUse, $"{failure.Message.TrimEnd('.')}: stop what listens there, or choose another address with {option}", failure);
        }
        catch (SocketException failure)
        {
            // Kestrel wraps only the one above.
            throw CommandException.Failed($"cannot listen on {address}: {failure.Message}; choose another address with {option}");
        }
    }

    /// <exception cref="IOException">There cannot be a folder for its state; names it.</exception>
    private ProxySupervisor Supervisor(string[] arguments)
    {
        var (program, programArguments) = ProxyLaunch.Self();
        var folder = new ProxyFolder(options.DataFolder);

        // Here, where it keeps the server from starting: the supervisor has nobody to tell.
        folder.Create();
        return new ProxySupervisor(
            folder,
            new ProxyLaunch(program, programArguments, arguments, options.ProxyDrainTimeout + ProxyExtraTime),
            loggers.CreateLogger<ProxySupervisor>(),
            time,
            new Random(Environment.ProcessId));
    }

    private async Task StopProxyAsync(ProxySupervisor supervisor, CancellationToken hurry)
    {
        try
        {
            await supervisor.StopAsync(hurry);
        }
        catch (OperationCanceledException) when (hurry.IsCancellationRequested)
        {
            Log.ProxyLeft(_logger);
        }
    }

    private string? WhyNotReady() =>
        _informers is not { } informers ? "starting"
        : informers.WebApps.HasSynced && informers.Replicas.HasSynced && informers.Hosts.HasSynced && informers.ProxyLeases.HasSynced
        ? null
        : "the API server has not told yet what there is";

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Ready after {Milliseconds:0} ms")]
        public static partial void Ready(ILogger logger, double milliseconds);

        [LoggerMessage(Level = LogLevel.Information, Message = "Stopping")]
        public static partial void Stopping(ILogger logger);

        [LoggerMessage(Level = LogLevel.Information, Message = "Stopped; containers go on")]
        public static partial void Stopped(ILogger logger);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Not waiting for the proxy: it ends by itself when it has finished what is in flight")]
        public static partial void ProxyLeft(ILogger logger);
    }
}
