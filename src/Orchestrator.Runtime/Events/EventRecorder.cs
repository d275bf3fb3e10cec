using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Runtime.Events;

/// <summary>
/// Writes Events from a bounded queue in the background. An occurrence that repeats an earlier one counts that Event up, and
/// occurrences that come faster than the API server takes them are written as one. Nothing waits for it: when more than
/// <see cref="QueueCapacity"/> different Events wait, the oldest is dropped and counted.
/// </summary>
public sealed partial class EventRecorder : IEventRecorder, IAsyncDisposable
{
    /// <summary>client-go's recorder holds as many; beyond, the news is better than the history.</summary>
    internal const int QueueCapacity = 1000;

    /// <summary>Distinct Events remembered to be counted up; client-go's cache has this size.</summary>
    internal const int RememberedSeries = 4096;

    /// <summary>Characters; the API server refuses longer messages.</summary>
    internal const int LongestMessage = 1024;

    /// <summary>What is still queued at the end gets this long.</summary>
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Queue<EventSeries> _queue = [];
    private readonly Dictionary<EventKey, LinkedListNode<EventSeries>> _remembered = [];
    private readonly LinkedList<EventSeries> _byUse = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly EventWriter _writer;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Task _writing;
    private bool _closed;

    /// <param name="component">Who reports, such as <c>orchestrator-scheduler</c>; shown as the Event's source.</param>
    public EventRecorder(IKubernetes kubernetes, string component, ILoggerFactory loggers, TimeProvider time)
    {
        _logger = loggers.CreateLogger<EventRecorder>();
        _time = time;
        _writer = new EventWriter(kubernetes, component, time);
        _writing = Task.Run(() => WriteAllAsync(_stop.Token));
    }

    /// <inheritdoc/>
    public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message)
    {
        message = message.Length <= LongestMessage ? message : message[..(LongestMessage - 1)] + "…";
        var key = EventKey.Of(about, type, reason, message);
        var now = _time.GetUtcNow().UtcDateTime;
        EventMetrics.Recorded.Inc();
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            var series = Remember_NeedsLock(key, about, now);
            series.Count++;
            series.Last = now;
            if (!series.Queued)
            {
                Enqueue_NeedsLock(series);
            }
        }
    }

    /// <summary>Takes nothing more and writes what is queued, for two seconds at most.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        _available.Release();
        _stop.CancelAfter(FlushTime);
        await _writing;
        _stop.Dispose();
        _available.Dispose();
    }

    private EventSeries Remember_NeedsLock(EventKey key, IKubernetesObject<V1ObjectMeta> about, DateTime now)
    {
        if (_remembered.TryGetValue(key, out var node))
        {
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value;
        }

        if (_remembered.Count == RememberedSeries)
        {
            // If it is queued it is still written; only a later repetition starts a new Event.
            Forget_NeedsLock(_byUse.First!.Value);
        }

        var series = new EventSeries(key, EventWriter.ReferenceTo(about), now);
        _remembered.Add(key, _byUse.AddLast(series));
        return series;
    }

    private void Forget_NeedsLock(EventSeries series)
    {
        if (_remembered.Remove(series.Key, out var node))
        {
            _byUse.Remove(node);
        }
    }

    private void Enqueue_NeedsLock(EventSeries series)
    {
        series.Queued = true;
        _queue.Enqueue(series);
        if (_queue.Count <= QueueCapacity)
        {
            _available.Release();
            return;
        }

        // The newcomer takes the place of the oldest, and with it the permit that was released for it.
        _queue.Dequeue().Queued = false;
        EventMetrics.DroppedFull.Inc();
    }

    private async Task WriteAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _available.WaitAsync(cancellationToken);
                EventSeries? series;
                EventOccurrence occurrence;
                lock (_gate)
                {
                    if (!_queue.TryDequeue(out series))
                    {
                        // The permit without an Event is the one that closing gives: all is written.
                        return;
                    }

                    // From here on a repetition is queued again: it is not part of what is being written.
                    series.Queued = false;
                    occurrence = new EventOccurrence(series.ObjectName, series.First, series.Last, series.Count);
                }

                await WriteAsync(series, occurrence, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            lock (_gate)
            {
                EventMetrics.DroppedUnreachable.Inc(_queue.Count);
            }
        }
    }

    private async Task WriteAsync(EventSeries series, EventOccurrence occurrence, CancellationToken cancellationToken)
    {
        var outcome = await _writer.WriteAsync(series.Key, series.About, occurrence, cancellationToken);
        lock (_gate)
        {
            if (outcome.ObjectName is { } name)
            {
                series.ObjectName = name;
            }
            else
            {
                Forget_NeedsLock(series);
            }
        }

        if (outcome.ObjectName is not null)
        {
            EventMetrics.Written.Inc();
            return;
        }

        (outcome.Refused ? EventMetrics.DroppedRefused : EventMetrics.DroppedUnreachable).Inc();
        Log.Dropped(_logger, outcome.Failure, series.Key.Reason, series.Key.Kind, series.Key.Namespace, series.Key.Name);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Event {Reason} about {Kind} {Namespace}/{Name} could not be written and is dropped")]
        public static partial void Dropped(ILogger logger, Exception? failure, string reason, string kind, string? @namespace, string name);
    }
}
