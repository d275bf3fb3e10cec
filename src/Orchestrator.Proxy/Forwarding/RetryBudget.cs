namespace Orchestrator.Proxy.Forwarding;

/// <summary>
/// How many requests of an app may be tried a second time: a part of the requests of late and a small floor. When everything
/// fails, retries would multiply the load by their number just when it can be borne least (after Finagle's and Linkerd's
/// retry budgets). Requests cost nothing here but a counter; the arithmetic is done for retries only. Thread-safe.
/// </summary>
internal sealed class RetryBudget(TimeProvider time)
{
    /// <summary>Of requests, how many may be retries: Linkerd's default.</summary>
    public const double Ratio = 0.2;

    /// <summary>Retries a second that are always allowed, so that an app with few requests has them too: Linkerd's default.</summary>
    public const int FloorPerSecond = 10;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private long _requests;
    private long _windowStart = time.GetTimestamp();
    private long _requestsBefore;
    private double _carried;
    private int _spent;

    public void CountRequest() => Interlocked.Increment(ref _requests);

    /// <returns>False when the budget is spent: let the request fail.</returns>
    public bool TrySpend()
    {
        lock (_gate)
        {
            var requests = Volatile.Read(ref _requests);
            if (time.GetElapsedTime(_windowStart) is var elapsed && elapsed >= Window)
            {
                // The rate of what has passed since stands for the ten seconds before this one: no cliff between windows.
                _carried = Ratio * (requests - _requestsBefore) * (Window / elapsed);
                (_windowStart, _requestsBefore, _spent) = (time.GetTimestamp(), requests, 0);
            }

            var allowed = (FloorPerSecond * Window.TotalSeconds) + _carried + (Ratio * (requests - _requestsBefore));
            if (_spent + 1 > allowed)
            {
                return false;
            }

            _spent++;
            return true;
        }
    }
}
