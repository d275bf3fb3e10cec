using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Routing;

namespace Orchestrator.Proxy.Health;

/// <summary>
/// While the API server cannot be reached nobody tells which replicas are ready: then every endpoint is tried now and again, so
/// that requests avoid the dead ones. None is dropped: they are the API's to drop.
/// </summary>
internal sealed partial class EndpointChecks(
    Routes routes, Suspects suspects, Func<bool> apiIsAway, ILogger<EndpointChecks> logger, TimeProvider time)
{
    /// <summary>Between two rounds. A dead endpoint costs a request at most one try more until then.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    /// <summary>Connections tried at once, over all apps.</summary>
    private const int Parallelism = 32;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var checking = false;
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var away = apiIsAway();
            if (away != checking)
            {
                checking = away;
                Log.Switched(logger, away ? "cannot be reached: endpoints are checked from here" : "answers: replicas are as it says");
            }

            if (checking)
            {
                await CheckAllAsync(cancellationToken);
            }
        }
    }

    private Task CheckAllAsync(CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            routes.Table.Apps.SelectMany(app => app.Endpoints, (app, endpoint) => (App: app, Endpoint: endpoint)),
            new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (one, token) =>
            {
                if ((one.Endpoint.Avoided & AvoidReasons.NoConnection) == 0 && await suspects.TryConnectAsync(one.Endpoint, token) is { } failure)
                {
                    suspects.Add(one.App, one.Endpoint, failure);
                }
            });

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The API server {Now}")]
        public static partial void Switched(ILogger logger, string now);
    }
}
