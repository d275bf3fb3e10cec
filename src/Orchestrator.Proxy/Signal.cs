namespace Orchestrator.Proxy;

/// <summary>Wakes one waiter; any number of calls before it waits wake it once.</summary>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set()
    {
        lock (_gate)
        {
            _set.TrySetResult();
        }
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        Task set;
        lock (_gate)
        {
            set = _set.Task;
        }

        await set.WaitAsync(cancellationToken);
        lock (_gate)
        {
            _set = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <returns>False when the time has passed without a call.</returns>
    public async Task<bool> WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        if (timeout <= TimeSpan.Zero)
        {
            return false;
        }

        // Not WaitAsync(timeout): an expected end of the wait is no exception.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task set;
        lock (_gate)
        {
            set = _set.Task;
        }

        var waited = await Task.WhenAny(set, Task.Delay(timeout, time, enough.Token));
        await enough.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        if (waited != set)
        {
            return false;
        }

        lock (_gate)
        {
            _set = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return true;
    }
}
