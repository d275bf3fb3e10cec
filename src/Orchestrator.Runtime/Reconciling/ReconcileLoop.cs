using Microsoft.Extensions.Logging;
using Orchestrator.Runtime.Clients;
using Prometheus;

namespace Orchestrator.Runtime.Reconciling;

/// <summary>
/// Takes keys from a queue and reconciles them with a fixed number of workers. A reconcile that throws is logged, counted and
/// tried again after its back-off; a lost race (<see cref="ConflictException"/>, <see cref="NotFoundException"/>: the object changed
/// or went after it was read) is tried again without being called an error.
/// </summary>
public sealed partial class ReconcileLoop<TKey>(
    WorkQueue<TKey> queue,
    Func<TKey, CancellationToken, Task<ReconcileResult>> reconcile,
    int workers,
    ILogger logger,
    TimeProvider time)
    where TKey : notnull
{
    private readonly ReconcileMetrics _metrics = new(queue.Name);

    /// <summary>Works until cancelled; returns when the reconciles under way have ended.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _metrics.Workers.Inc(workers);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(cancellationToken), CancellationToken.None)));
        _metrics.Workers.Dec(workers);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TKey key;
            try
            {
                key = await queue.TakeAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var started = time.GetTimestamp();
            using (_metrics.ActiveWorkers.TrackInProgress())
            {
                await ReconcileAsync(key, cancellationToken);
            }

            var worked = time.GetElapsedTime(started);
            _metrics.Duration.Observe(worked.TotalSeconds);
            queue.Complete(key, worked);
        }
    }

    private async Task ReconcileAsync(TKey key, CancellationToken cancellationToken)
    {
        try
        {
            var result = await reconcile(key, cancellationToken);
            queue.Forget(key);
            if (result.LookAgainAfter is { } delay)
            {
                queue.AddAfter(key, delay);
                _metrics.LookAgain.Inc();
            }
            else
            {
                _metrics.Success.Inc();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops; the key is reconciled by whoever comes next.
        }
        catch (ApiException raced) when (raced is ConflictException or NotFoundException)
        {
            Log.Raced(logger, raced, queue.Name, key.ToString());
            _metrics.Requeue.Inc();
            queue.AddAfterFailure(key);
        }
        catch (Exception failure)
        {
            _metrics.Error.Inc();
            _metrics.Errors.Inc();
            Log.Failed(logger, failure, queue.Name, key.ToString());
            queue.AddAfterFailure(key);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "{Controller} lost a race for {Key}; it is tried again")]
        public static partial void Raced(ILogger logger, Exception cause, string controller, string? key);

        [LoggerMessage(Level = LogLevel.Error, Message = "{Controller} could not reconcile {Key}; it is tried again")]
        public static partial void Failed(ILogger logger, Exception failure, string controller, string? key);
    }
}
