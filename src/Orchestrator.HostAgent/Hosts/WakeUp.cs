namespace Orchestrator.HostAgent.Hosts;

/// <summary>Wakes one sleeper before its time. Set while nobody sleeps, it ends the next sleep at once.</summary>
internal sealed class WakeUp(TimeProvider time)
{
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set() => Volatile.Read(ref _set).TrySetResult();

    /// <summary>Returns when it is set, the time is over or the wait cancelled; throws for none of them.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        await Volatile.Read(ref _set).Task.WaitAsync(atMost, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Before the work, not after: what is asked for during it is not to be lost.
        Interlocked.Exchange(ref _set, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
