namespace Orchestrator.HostAgent.Probing;

/// <summary>
/// Calls back at given times, with one timer for all probes of the process and what they wait for. By the monotonic clock: a wall clock that is set back
/// would stop all probes for as long.
/// </summary>
internal sealed class ProbeScheduler : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<Action, long> _due = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _setFor = long.MaxValue;

    public ProbeScheduler(TimeProvider time)
    {
        _time = time;
        _timer = time.CreateTimer(_ => RunDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <param name="callback">Runs on the timer's thread: must not block, nor throw.</param>
    public void Schedule(TimeSpan delay, Action callback)
    {
        lock (_gate)
        {
            _due.Enqueue(callback, _time.GetTimestamp() + (long)(delay.TotalSeconds * _time.TimestampFrequency));
            SetTimer_NeedsLock();
        }
    }

    /// <summary>Ends after a time, which is to be short: it is not cut off.</summary>
    public Task WaitAsync(TimeSpan delay)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Schedule(delay, over.SetResult);
        return over.Task;
    }

    public void Dispose() => _timer.Dispose();

    private void RunDue()
    {
        var callbacks = new List<Action>();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            while (_due.TryPeek(out var callback, out var due) && due <= now)
            {
                _due.Dequeue();
                callbacks.Add(callback);
            }

            _setFor = long.MaxValue;
            SetTimer_NeedsLock();
        }

        foreach (var callback in callbacks)
        {
            callback();
        }
    }

    private void SetTimer_NeedsLock()
    {
        if (_due.TryPeek(out _, out var due) && due < _setFor)
        {
            _setFor = due;

            // Timers count whole milliseconds: round up, or it fires early and spins until something is due.
            var wait = Math.Max(1, Math.Ceiling(_time.GetElapsedTime(_time.GetTimestamp(), due).TotalMilliseconds));
            _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
        }
    }
}
