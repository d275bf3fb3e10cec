using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Orchestrator.Proxy.Forwarding;
using Orchestrator.Proxy.Routing;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.Proxy.Health;

/// <summary>
/// Endpoints that did not take a connection. Requests avoid them while there are others, and a connection is tried in the
/// background, so that no user's request has to find out whether one is back.
/// </summary>
internal sealed partial class Suspects(TimeSpan connectTimeout, ILogger<Suspects> logger, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Between tries, doubling: soon enough for a container that restarts, no burden on one that does not.</summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, byte> _watching = new();

    /// <summary>Avoids an endpoint from now on, until a connection is made.</summary>
    /// <returns>False: nothing was done, since it is avoided already or the failure is none of its own.</returns>
    public bool Add(AppState app, ReplicaEndpoint endpoint, Exception failure)
    {
        if (_stopping.IsCancellationRequested || OwnShortage.Explains(failure) || !app.Avoid(endpoint, AvoidReasons.NoConnection))
        {
            return false;
        }

        Log.Avoided(logger, app.Key.ToString(), endpoint.Id, failure.GetBaseException().Message);
        var watching = WatchAsync(app, endpoint);
        _watching.TryAdd(watching, 0);
        watching.ContinueWith(done => _watching.TryRemove(done, out _), TaskScheduler.Default);
        return true;
    }

    /// <summary>Whether a connection can be made.</summary>
    public async Task<SocketException?> TryConnectAsync(ReplicaEndpoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = await ReplicaConnections.ConnectAsync(
                new DnsEndPoint(endpoint.Id.Address, endpoint.Id.Port), connectTimeout, time, cancellationToken);
            return null;
        }
        catch (SocketException failure)
        {
            return failure;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_watching.Keys);
        _stopping.Dispose();
    }

    private async Task WatchAsync(AppState app, ReplicaEndpoint endpoint)
    {
        try
        {
            for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                await Task.Delay(pause, time, _stopping.Token);
                if (endpoint.IsRetired)
                {
                    return;
                }

                if (await TryConnectAsync(endpoint, _stopping.Token) is null)
                {
                    app.Trust(endpoint, AvoidReasons.NoConnection);
                    Log.Back(logger, app.Key.ToString(), endpoint.Id);
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The proxy stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "{App}: endpoint {Endpoint} takes no connection and is avoided: {Reason}")]
        public static partial void Avoided(ILogger logger, string app, EndpointId endpoint, string reason);

        [LoggerMessage(Level = LogLevel.Information, Message = "{App}: endpoint {Endpoint} takes connections again")]
        public static partial void Back(ILogger logger, string app, EndpointId endpoint);
    }
}
