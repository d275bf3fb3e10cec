namespace Orchestrator.Proxy.Autoscaling;

/// <summary>How a request's wait for a replica has ended.</summary>
internal enum HoldEnd
{
    /// <summary>There may be a replica now: look again.</summary>
    Look,

    /// <summary>There is none, and the request waits no longer.</summary>
    GivenUp,

    /// <summary>The client has gone.</summary>
    ClientGone,
}

/// <summary>Requests of one app that wait for its first replica. Bounded in number and time. Thread-safe.</summary>
internal sealed class HeldRequests(TimeProvider time)
{
    /// <summary>Held ones cost memory and a connection, and all fall upon the first replica at once.</summary>
    public const int Most = 200;

    /// <summary>From a request's headers. A container takes a second, its image's pull rarely a minute.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private TaskCompletionSource _changed = NewSignal();
    private bool _open;
    private int _waiting;

    /// <summary>Called when a first request begins to wait, and when none does any more; must not block.</summary>
    public Action? Changed { get; set; }

    /// <summary>Requests that wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Whether requests are held at all. When no longer, those that wait are let go.</summary>
    public bool IsOpen
    {
        get => Volatile.Read(ref _open);
        set
        {
            Volatile.Write(ref _open, value);
            if (!value)
            {
                Release();
            }
        }
    }

    /// <summary>Something is other than when those that wait have looked.</summary>
    public void Release()
    {
        lock (_gate)
        {
            _changed.TrySetResult();
            _changed = NewSignal();
        }
    }

    /// <param name="started">Timestamp of the request's headers.</param>
    /// <param name="limit">Of the whole request; null: none but ours.</param>
    /// <param name="isServed">Whether there is a replica. Asked once the request is sure to hear of one that comes.</param>
    public async ValueTask<HoldEnd> WaitAsync(long started, TimeSpan? limit, Func<bool> isServed, CancellationToken clientGone)
    {
        Task changed;
        lock (_gate)
        {
            changed = _changed.Task;
        }

        if (isServed())
        {
            return HoldEnd.Look;
        }

        var left = (limit < Longest ? limit.Value : Longest) - time.GetElapsedTime(started);
        if (!IsOpen || left <= TimeSpan.Zero)
        {
            return HoldEnd.GivenUp;
        }

        try
        {
            var waiting = Interlocked.Increment(ref _waiting);
            if (waiting > Most)
            {
                return HoldEnd.GivenUp;
            }

            if (waiting == 1)
            {
                Changed?.Invoke();
            }

            await changed.WaitAsync(left, time, clientGone);
            return HoldEnd.Look;
        }
        catch (TimeoutException)
        {
            return HoldEnd.GivenUp;
        }
        catch (OperationCanceledException)
        {
            return HoldEnd.ClientGone;
        }
        finally
        {
            if (Interlocked.Decrement(ref _waiting) == 0)
            {
                Changed?.Invoke();
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
