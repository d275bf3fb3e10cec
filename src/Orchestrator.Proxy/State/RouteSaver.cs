using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Routing;
using Prometheus;

namespace Orchestrator.Proxy.State;

/// <summary>Saves the routes some time after they changed. Until they are the API's, what is on disk stays as it is.</summary>
internal sealed partial class RouteSaver(
    RouteStore store, RouteWatcher watcher, Routes routes, ILogger<RouteSaver> logger, TimeProvider time)
{
    /// <summary>
    /// Between two saves: a rollout is some, not one for each replica. What is lost by a crash in between, connections show.
    /// </summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly Counter Failures = Metrics.CreateCounter(
        "orchestrator_proxy_state_save_failures_total", "Saves of the routes to disk that failed.");

    private readonly Signal _changed = new();

    public void Refresh() => _changed.Set();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await watcher.WaitForSyncAsync(cancellationToken);
        while (true)
        {
            Save();
            await Task.Delay(Pause, time, cancellationToken);
            await _changed.WaitAsync(cancellationToken);
        }
    }

    public void Save()
    {
        if (!watcher.HasSynced)
        {
            return;
        }

        try
        {
            store.Save(routes.Table);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Failures.Inc();
            Log.Failed(logger, store.Path, failure.Message);
            Refresh();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The routes could not be saved to {Path}; trying again: {Reason}")]
        public static partial void Failed(ILogger logger, string path, string reason);
    }
}
