namespace Orchestrator.HostAgent.Probing;

/// <summary>
/// How long one look may take: a token that is cancelled at its end. Without a timer of the runtime's, which keeps them in lists that it walks under a
/// lock: with thousands of looks under way, on a machine that is late already, all that anything did was to wait for it.
/// </summary>
internal sealed class ProbeLimit : IDisposable
{
    private CancellationTokenSource? _source;

    public ProbeLimit(ProbeScheduler scheduler, TimeSpan timeout, CancellationToken stop)
    {
        _source = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Token = _source.Token;
        scheduler.Schedule(timeout, End);
    }

    public CancellationToken Token { get; }

    /// <summary>The look has ended: of what is scheduled next to nothing is left.</summary>
    public void Dispose() => Interlocked.Exchange(ref _source, null)?.Dispose();

    // Off the scheduler's thread, which must not be held up by what a cancelled look does next.
    private void End()
    {
        if (Volatile.Read(ref _source) is { } source)
        {
            ThreadPool.UnsafeQueueUserWorkItem(Cancel, source, preferLocal: false);
        }
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended this very moment.
        }
    }
}
