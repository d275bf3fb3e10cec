using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Orchestrator.Runtime.Connections;
using Prometheus;

namespace Orchestrator.Proxy.Listening;

/// <summary>
/// Connections of clients that would be too many for the process are left to wait in the kernel's queue until others have ended: with all files open that it
/// may have it could reach no replica for those that it has, and the runtime would end it.
/// </summary>
internal sealed partial class ConnectionRoom(OpenFiles files, ILogger<ConnectionRoom> logger, TimeProvider time)
{
    /// <summary>Of the files that may be open: what is above is for connections to replicas, the API and the proxy's own pages.</summary>
    private const double Most = 0.6;

    /// <summary>From one look for room to the next.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan LogPeriod = TimeSpan.FromMinutes(1);

    private static readonly Counter Waits = Metrics.CreateCounter(
        "orchestrator_proxy_accept_waits_total", "Times that a listener let new connections wait: the process has about as many files open as it may.");

    private long _toldAt;

    public IConnectionListenerFactory Before(IConnectionListenerFactory sockets) => new Factory(this, sockets);

    private async ValueTask WaitAsync(Task unbound)
    {
        if (files.TryBegin(Most))
        {
            return;
        }

        Waits.Inc();
        Tell();
        while (!unbound.IsCompleted && !files.TryBegin(Most))
        {
            await unbound.WaitAsync(Pause, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Tell()
    {
        var (told, now) = (Volatile.Read(ref _toldAt), time.GetTimestamp());
        if ((told == 0 || time.GetElapsedTime(told, now) >= LogPeriod) && Interlocked.CompareExchange(ref _toldAt, now, told) == told)
        {
            Log.Waiting(logger, files);
        }
    }

    private sealed class Factory(ConnectionRoom room, IConnectionListenerFactory sockets) : IConnectionListenerFactory
    {
        public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
            new RoomyListener(room, await sockets.BindAsync(endpoint, cancellationToken));
    }

    private sealed class RoomyListener(ConnectionRoom room, IConnectionListener listener) : IConnectionListener
    {
        private readonly TaskCompletionSource _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => listener.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken)
        {
            await room.WaitAsync(_unbound.Task);
            return await listener.AcceptAsync(cancellationToken);
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken)
        {
            _unbound.TrySetResult();
            return listener.UnbindAsync(cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            _unbound.TrySetResult();
            return listener.DisposeAsync();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "New connections have to wait: {Files}")]
        public static partial void Waiting(ILogger logger, OpenFiles files);
    }
}
