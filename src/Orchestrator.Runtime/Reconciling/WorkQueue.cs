using System.Diagnostics.CodeAnalysis;

namespace Orchestrator.Runtime.Reconciling;

/// <summary>
/// Keys waiting to be reconciled, after client-go's workqueue: a key that waits is not added twice, a key in work is handed out
/// again only once it is done, a failed key waits longer each time. Unbounded, but no longer than there are distinct keys.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "It is a queue, by that name in every controller library.")]
public sealed class WorkQueue<TKey> : IDisposable
    where TKey : notnull
{
    /// <summary>client-go's defaults are 5 ms and 1000 s; a site that is down cannot wait a quarter of an hour for the next try.</summary>
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan BackoffCeiling = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Queue<(TKey Key, long Since)> _ready = [];
    private readonly HashSet<TKey> _waiting = [];
    private readonly HashSet<TKey> _working = [];
    private readonly Dictionary<TKey, Delayed> _delayed = [];
    private readonly SortedSet<Delayed> _byDueTime = new(Delayed.BySooner);
    private readonly Dictionary<TKey, int> _failures = [];
    private readonly SemaphoreSlim _available = new(0);
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ITimer _timer;
    private readonly WorkQueueMetrics _metrics;
    private long _delays;
    private bool _disposed;

    public WorkQueue(string name, TimeProvider time, Random? jitter = null)
    {
        Name = name;
        _time = time;
        _random = jitter ?? new Random(name.GetHashCode(StringComparison.Ordinal));
        _metrics = new WorkQueueMetrics(name);
        _timer = time.CreateTimer(_ => MoveDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Name { get; }

    /// <summary>Keys ready to be taken; for tests and metrics.</summary>
    public int Depth
    {
        get
        {
            lock (_gate)
            {
                return _ready.Count;
            }
        }
    }

    public void Add(TKey key)
    {
        lock (_gate)
        {
            Add_NeedsLock(key);
        }
    }

    /// <summary>Adds the key later, unless it is added before. Of two delays for one key the sooner counts.</summary>
    public void AddAfter(TKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_gate)
        {
            // By the monotonic clock: a wall clock that is set back would hold keys up for as long.
            var due = _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency);
            if (_disposed || (_delayed.TryGetValue(key, out var earlier) && earlier.Due <= due))
            {
                return;
            }

            Undelay_NeedsLock(key);
            var delayed = new Delayed(key, due, _delays++);
            _delayed.Add(key, delayed);
            _byDueTime.Add(delayed);
            if (_byDueTime.Min == delayed)
            {
                SetTimer_NeedsLock();
            }
        }
    }

    /// <summary>Adds the key after its back-off, which grows with each call until <see cref="Forget"/>.</summary>
    public void AddAfterFailure(TKey key)
    {
        TimeSpan delay;
        lock (_gate)
        {
            var failures = _failures.GetValueOrDefault(key);
            _failures[key] = failures + 1;
            delay = Backoff.After(failures, FirstBackoff, BackoffCeiling, _random);
        }

        _metrics.Retries.Inc();
        AddAfter(key, delay);
    }

    /// <summary>The key succeeded: its next failure starts from the shortest back-off.</summary>
    public void Forget(TKey key)
    {
        lock (_gate)
        {
            _failures.Remove(key);
        }
    }

    /// <summary>Waits for a key. The caller must give it back by <see cref="Complete"/>.</summary>
    public async ValueTask<TKey> TakeAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken);
        lock (_gate)
        {
            var (key, since) = _ready.Dequeue();
            _waiting.Remove(key);
            _working.Add(key);
            _metrics.Taken(_time.GetElapsedTime(since));
            return key;
        }
    }

    /// <summary>The key is no longer in work; if it was added meanwhile, it is ready again.</summary>
    public void Complete(TKey key, TimeSpan worked)
    {
        _metrics.WorkDuration.Observe(worked.TotalSeconds);
        lock (_gate)
        {
            _working.Remove(key);
            if (_waiting.Contains(key) && !_disposed)
            {
                Enqueue_NeedsLock(key);
            }
        }
    }

    /// <summary>From here on adding does nothing: subscriptions outlive the queues they feed.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                _metrics.Depth.Dec(_ready.Count);
            }
        }

        _timer.Dispose();
        _available.Dispose();
    }

    private void Add_NeedsLock(TKey key)
    {
        Undelay_NeedsLock(key);
        if (_disposed || !_waiting.Add(key))
        {
            return;
        }

        _metrics.Adds.Inc();
        if (!_working.Contains(key))
        {
            Enqueue_NeedsLock(key);
        }
    }

    private void Enqueue_NeedsLock(TKey key)
    {
        _ready.Enqueue((key, _time.GetTimestamp()));
        _metrics.Depth.Inc();
        _available.Release();
    }

    private void Undelay_NeedsLock(TKey key)
    {
        if (_delayed.Remove(key, out var delayed))
        {
            _byDueTime.Remove(delayed);
        }
    }

    private void MoveDue()
    {
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            while (_byDueTime.Min is { } soonest && soonest.Due <= now)
            {
                Add_NeedsLock(soonest.Key);
            }

            SetTimer_NeedsLock();
        }
    }

    private void SetTimer_NeedsLock()
    {
        if (!_disposed && _byDueTime.Min is { } soonest)
        {
            var wait = _time.GetElapsedTime(_time.GetTimestamp(), soonest.Due);
            // Timers count whole milliseconds: round up, or the timer fires early and spins until it is due.
            _timer.Change(
                TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))),
                Timeout.InfiniteTimeSpan);
        }
    }

    private sealed record Delayed(TKey Key, long Due, long Sequence)
    {
        public static readonly Comparer<Delayed> BySooner = Comparer<Delayed>.Create((left, right) =>
            left.Due.CompareTo(right.Due) is not 0 and var due ? due : left.Sequence.CompareTo(right.Sequence));
    }
}
